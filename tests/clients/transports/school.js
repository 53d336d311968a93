// What the programs here share: where the server is, who asks, and how one waits.

import { setTimeout as pause } from 'node:timers/promises';

/** The address of the endpoint. */
export const url = process.env.STOA_URL;
if (!url) throw new Error('STOA_URL says where the server is');

/** The tokens of three of the school's people: Mei and Omar learn, Ana instructs. */
export const tokens = {
  mei: process.env.STOA_TOKEN_MEI,
  omar: process.env.STOA_TOKEN_OMAR,
  ana: process.env.STOA_TOKEN_ANA,
};

/** Headers of somebody. */
export const headersOf = (person) => ({ Authorization: `Bearer ${tokens[person]}` });

/** Asks once by POST, as somebody; answers with `data`. */
export async function ask(person, query, variables = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headersOf(person), 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  return answer.data;
}

/** Begins a thread in the forum of *Living Soil*, and answers with its id. Each test has its own. */
export async function newThread(title) {
  const { course } = await ask('ana', '{ course(slug: "living-soil") { id forum { categories { id } } } }');
  const data = await ask(
    'ana',
    `mutation Begin($course: ID!, $title: String!) {
      createThread(courseId: $course, input: { title: $title, body: "It begins here." }) {
        thread { id }
        userErrors { code message }
      }
    }`,
    { course: course.id, title },
  );
  if (data.createThread.userErrors.length) throw new Error(JSON.stringify(data.createThread.userErrors));
  return data.createThread.thread.id;
}

/** Writes a post as somebody. */
export const post = (person, threadId, body) =>
  ask(
    person,
    `mutation Write($threadId: ID!, $body: String!) {
      createPost(threadId: $threadId, input: { body: $body }) { post { id } userErrors { code } }
    }`,
    { threadId, body },
  );

/** Each new post of a thread. */
export const POST_ADDED = `subscription Posts($threadId: ID!) {
  postAdded(threadId: $threadId) { missed post { body author { name } } }
}`;

/**
 * Writes again and again until somebody has heard one: nothing tells a client when her subscription is in place. Answers
 * with what `heard` gives.
 */
export async function until(heard, write) {
  let result;
  heard.then((value) => (result = { value }), (error) => (result = { error }));
  for (let n = 0; n < 100 && !result; n += 1) {
    await write(n);
    for (let wait = 0; wait < 10 && !result; wait += 1) await pause(20);
  }
  if (!result) throw new Error('nothing was heard');
  if (result.error) throw result.error;
  return result.value;
}

/** The next result of an iterator, which must not be its end. */
export async function next(iterator) {
  const { value, done } = await iterator.next();
  if (done) throw new Error('it has ended');
  return value;
}
