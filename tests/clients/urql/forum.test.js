// Writing: a mutation's payload, what the cache is told to do with it, and what is shown before the server has answered.

import { strict as assert } from 'node:assert';
import { before, test } from 'node:test';

import { gql } from '@urql/core';

import { TOKENS, cache, client, introspection } from './stoa.js';
import { shown } from './shown.js';

const warnings = [];
const schema = await introspection();
const mei = client({ token: TOKENS.mei, cache: cache(schema, warnings) });
const omar = client({ token: TOKENS.omar });
let course;
let thread;

const REPLY = gql`
  mutation Reply($threadId: ID!, $body: String!) {
    createPost(threadId: $threadId, input: { body: $body }) {
      post {
        id
        body
        thread {
          id
          postCount
        }
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

const THREAD = gql`
  query Thread($id: ID!, $first: Int!, $after: String) {
    node(id: $id) {
      id
      ... on Thread {
        postCount
        posts(first: $first, after: $after) {
          edges {
            node {
              id
              body
              votes
              viewerHasVoted
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`;

const bodies = ({ data }) => data?.node?.posts?.edges.map(({ node }) => node.body) ?? [];

async function write(frontend, body) {
  const { data, error } = await frontend.mutation(REPLY, { threadId: thread, body });
  assert.equal(error, undefined);
  assert.deepEqual(data.createPost.userErrors, []);
  return data.createPost.post;
}

before(async () => {
  const { data } = await mei.query(gql`query Soil { course(slug: "living-soil") { id } }`, {});
  course = data.course.id;
  const ask = gql`
    mutation Ask($courseId: ID!, $input: CreateThreadInput!) {
      createThread(courseId: $courseId, input: $input) {
        thread { id title }
        userErrors { code message path }
      }
    }
  `;
  const input = { title: 'Slugs', body: 'Do they help?', kind: 'QUESTION' };
  const { data: made } = await mei.mutation(ask, { courseId: course, input });
  assert.deepEqual(made.createThread.userErrors, []);
  thread = made.createThread.thread.id;
});

test("a thread's posts are read page by page, and a new one brings them up to date", async () => {
  for (const body of ['They do.', 'Not all of them.']) await write(omar, body);
  const one = await mei.query(THREAD, { id: thread, first: 2 });
  assert.deepEqual(bodies(one), ['Do they help?', 'They do.']);
  const list = shown(mei.query(THREAD, { id: thread, first: 2, after: one.data.node.posts.pageInfo.endCursor }));
  const both = await list.until((result) => bodies(result).length === 3);
  assert.equal(both.data.node.postCount, 3);

  await write(mei, 'Thank you.');
  const updated = await list.until((result) => bodies(result).includes('Thank you.') && !result.stale);
  list.stop();
  assert.equal(updated.data.node.postCount, 4);
  assert.deepEqual(warnings, []);
});

test('a vote shows at once, and then as the server has it', async () => {
  const { id } = await write(omar, 'Vote for this one.');
  const query = gql`query Votes($id: ID!) { node(id: $id) { id ... on Post { votes viewerHasVoted } } }`;
  const post = shown(mei.query(query, { id }));
  await post.until(({ data }) => data?.node.votes === 0);
  const vote = gql`
    mutation Vote($postId: ID!) {
      votePost(postId: $postId) {
        post { id votes viewerHasVoted }
        userErrors { code message path }
      }
    }
  `;
  let answered = false;
  const voting = mei.mutation(vote, { postId: id }).then((result) => {
    answered = true;
    return result;
  });
  await post.until(({ data }) => data.node.votes === 1 && data.node.viewerHasVoted && !answered);
  const { data } = await voting;
  post.stop();
  assert.deepEqual(data.votePost.userErrors, []);
  assert.equal(data.votePost.post.votes, 1);
  assert.deepEqual(warnings, []);
});

test('what is deleted goes out of the list', async () => {
  const bookmarks = gql`
    query Bookmarks {
      me { id bookmarks(first: 10) { edges { node { id note thing { __typename ... on Course { id title } } } } } }
    }
  `;
  const add = gql`
    mutation Add($thingId: ID!) {
      addBookmark(input: { thingId: $thingId, note: "for spring" }) {
        bookmark { id note thing { __typename ... on Course { id title } } }
        userErrors { code message path }
      }
    }
  `;
  const remove = gql`
    mutation Remove($id: ID!) { removeBookmark(input: { bookmarkId: $id }) { removedId userErrors { code message } } }
  `;
  const { data: added } = await mei.mutation(add, { thingId: course });
  assert.deepEqual(added.addBookmark.userErrors, []);
  const { id } = added.addBookmark.bookmark;
  const ids = ({ data }) => data?.me?.bookmarks?.edges.map(({ node }) => node.id);
  const list = shown(mei.query(bookmarks, {}));
  const full = await list.until((result) => ids(result)?.includes(id));
  assert.equal(full.data.me.bookmarks.edges[0].node.thing.__typename, 'Course');
  const { data: removed } = await mei.mutation(remove, { id });
  assert.equal(removed.removeBookmark.removedId, id);
  await list.until((result) => ids(result)?.includes(id) === false);
  list.stop();
  assert.deepEqual(warnings, []);
});

test('what a person can mend is no error but a userError', async () => {
  const { data, error } = await mei.mutation(REPLY, { threadId: thread, body: '' });
  assert.equal(error, undefined);
  assert.equal(data.createPost.post, null);
  assert.equal(data.createPost.userErrors[0].code, 'LENGTH');
  assert.deepEqual(data.createPost.userErrors[0].path, ['input', 'body']);
});
