// Writing: a mutation's payload updates what is shown, before and after the server has answered, and news come by
// themselves.

import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';

import { ASK, NEWS, REPLY, STAFF, THREAD, VOTE, VOTES } from './documents.js';
import { TOKENS, cache, client, possibleTypes, until } from './stoa.js';

let mei;
let omar;
let thread;

const bodies = ({ node }) => node.posts.edges.map((edge) => edge.node.body);

async function write(frontend, body) {
  const { data } = await frontend.apollo.mutate({ mutation: REPLY, variables: { threadId: thread, body } });
  assert.deepEqual(data.createPost.userErrors, []);
  return data.createPost.post;
}

before(async () => {
  const types = await possibleTypes();
  mei = client({ token: TOKENS.mei, cache: cache(types) });
  omar = client({ token: TOKENS.omar, cache: cache(types) });
  const { data } = await mei.apollo.query({ query: STAFF });
  const { data: made } = await mei.apollo.mutate({
    mutation: ASK,
    variables: { courseId: data.course.id, input: { title: 'Snails', body: 'Do they help?', kind: 'QUESTION' } },
  });
  assert.deepEqual(made.createThread.userErrors, []);
  thread = made.createThread.thread.id;
});

after(() => Promise.all([mei.close(), omar.close()]));

test("a thread's posts are read page by page into one list", async () => {
  for (const body of ['They do.', 'Not all of them.']) await write(omar, body);
  const shown = mei.apollo.watchQuery({ query: THREAD, variables: { id: thread, first: 2 } });
  const one = await until(shown, (data) => bodies(data).length === 2);
  assert.deepEqual(bodies(one), ['Do they help?', 'They do.']);
  await shown.fetchMore({ variables: { after: one.node.posts.pageInfo.endCursor } });
  const both = await until(shown, (data) => bodies(data).length === 3);
  assert.deepEqual(bodies(both), ['Do they help?', 'They do.', 'Not all of them.']);
  assert.equal(both.node.posts.pageInfo.hasNextPage, false);
});

test("a mutation's payload updates what is shown, by its id", async () => {
  const variables = { id: thread, first: 10 };
  const shown = mei.apollo.watchQuery({ query: THREAD, variables, fetchPolicy: 'network-only' });
  const watching = shown.subscribe(() => {});
  const { node } = await until(shown, (data) => data.node.postCount > 0);
  // The payload has the thread with its new count; the query is not asked again.
  await write(mei, 'Thank you.');
  const { node: updated } = await until(shown, (data) => data.node.postCount === node.postCount + 1);
  // That the list has one more is not in the payload, so it is as it was until it is asked for again.
  assert.equal(updated.posts.edges.length, node.posts.edges.length);
  const { data } = await shown.refetch();
  assert.equal(bodies(data).at(-1), 'Thank you.');
  watching.unsubscribe();
});

test('a vote shows at once, and then as the server has it', async () => {
  const { id } = await write(omar, 'Vote for this one.');
  const seen = [];
  const shown = mei.apollo.watchQuery({ query: VOTES, variables: { id } });
  const watching = shown.subscribe(({ data, dataState }) => dataState === 'complete' && seen.push(data.node.votes));
  await until(shown, (data) => data.node.votes === 0);
  // Apollo tells of several changes within one turn of the loop at once. Nobody clicks that fast.
  await setImmediate();
  // So that the two can be told apart, what is expected is wrong here: the server counts one vote.
  const { data } = await mei.apollo.mutate({
    mutation: VOTE,
    variables: { id },
    optimisticResponse: {
      votePost: {
        __typename: 'VotePostPayload',
        post: { __typename: 'Post', id, votes: 100, viewerHasVoted: true },
        userErrors: [],
      },
    },
  });
  assert.deepEqual(data.votePost.userErrors, []);
  await until(shown, ({ node }) => node.votes === 1 && node.viewerHasVoted);
  watching.unsubscribe();
  assert.deepEqual(seen, [0, 100, 1]);
});

test('what a person can mend is no error but a userError', async () => {
  const { data, error } = await mei.apollo.mutate({
    mutation: REPLY,
    variables: { threadId: thread, body: '' },
  });
  assert.equal(error, undefined);
  assert.equal(data.createPost.post, null);
  const [{ code, path }] = data.createPost.userErrors;
  assert.equal(code, 'LENGTH');
  assert.deepEqual(path, ['input', 'body']);
});

test('a new post comes by itself, over a WebSocket, into the cache', async () => {
  const events = mei.apollo.subscribe({
    query: NEWS,
    variables: { threadId: thread },
  });
  const shown = mei.apollo.watchQuery({ query: THREAD, variables: { id: thread, first: 10 }, fetchPolicy: 'network-only' });
  const watching = shown.subscribe(() => {});
  const { node } = await until(shown, (data) => data.node.postCount > 0);
  const told = until(events, ({ postAdded }) => postAdded.post !== null);
  // The subscription is there when the socket has it. Until then a post may come too early to be told of, so Omar
  // writes until Mei hears.
  const writing = new AbortController();
  const omars = (async () => {
    while (!writing.signal.aborted) {
      await write(omar, 'News of snails.');
      await setTimeout(200);
    }
  })();
  const { postAdded } = await told;
  writing.abort();
  await omars;
  assert.equal(postAdded.missed, false);
  assert.equal(postAdded.post.body, 'News of snails.');
  assert.equal(postAdded.post.isMine, false);
  // The event has the thread with its count: what is shown of it has changed without being asked for again.
  await until(shown, (data) => data.node.postCount > node.postCount);
  watching.unsubscribe();
});
