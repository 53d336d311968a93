// Writing: what a mutation adds to lists and takes out of them, and what is shown before the server has answered.

const assert = require('node:assert/strict');
const { before, test } = require('node:test');

const { ConnectionHandler, createOperationDescriptor, getRequest } = require('relay-runtime');

const { TOKENS, artifact, environment, loadNext, mutate, query, read } = require('./src/stoa.js');

const mei = environment({ token: TOKENS.mei });
const omar = environment({ token: TOKENS.omar });
let course;
let thread;

async function reply(relay, body, connections = []) {
  const { createPost } = await mutate(relay, 'replyMutation', { threadId: thread, input: { body }, connections });
  assert.deepEqual(createPost.userErrors, []);
  return createPost.post;
}

before(async () => {
  ({ course } = await query(mei, 'soilQuery'));
  const input = { title: 'Moss', body: 'Is it good?', kind: 'QUESTION' };
  const { createThread } = await mutate(mei, 'askMutation', { courseId: course.id, input });
  assert.deepEqual(createThread.userErrors, []);
  thread = createThread.thread.id;
});

test("a thread's next page is asked for by its global id, and a new post joins the list", async () => {
  for (const body of ['It is.', 'Not on roofs.']) await reply(omar, body);
  const { node } = await query(mei, 'threadQuery', { id: thread });
  assert.equal(node.title, 'Moss');
  assert.equal(node.postCount, 3);
  const bodies = () =>
    read(mei, 'thread_posts', node.list).posts.edges.map((edge) => read(mei, 'threadPost_post', edge.node).body);
  assert.deepEqual(bodies(), ['Is it good?', 'It is.']);
  await loadNext(mei, 'thread_posts', node.list, 10);
  assert.deepEqual(bodies(), ['Is it good?', 'It is.', 'Not on roofs.']);

  await reply(mei, 'Thank you.', [ConnectionHandler.getConnectionID(thread, 'thread_posts')]);
  assert.deepEqual(bodies(), ['Is it good?', 'It is.', 'Not on roofs.', 'Thank you.']);
  // The payload had the thread with its new count.
  const shown = createOperationDescriptor(getRequest(artifact('threadQuery')), { id: thread });
  assert.equal(mei.lookup(shown.fragment).data.node.postCount, 4);
});

test('what is added stands in the list, and what is deleted leaves it', async () => {
  const { me } = await query(mei, 'bookmarksQuery');
  const list = () => read(mei, 'bookmarks_person', me).bookmarks.edges.map((edge) => edge.node.id);
  const before = list();
  const connections = [ConnectionHandler.getConnectionID(me.__id, 'bookmarks_bookmarks')];
  const { addBookmark } = await mutate(mei, 'bookmarkMutation', { thingId: thread, connections });
  assert.deepEqual(addBookmark.userErrors, []);
  const { id } = addBookmark.bookmark;
  assert.deepEqual(list(), [id, ...before]);
  const { removeBookmark } = await mutate(mei, 'removeBookmarkMutation', { id });
  assert.equal(removeBookmark.removedId, id);
  const left = read(mei, 'bookmarks_person', me).bookmarks.edges.filter((edge) => edge?.node);
  assert.deepEqual(left.map((edge) => edge.node.id), before);
});

test('a vote shows at once, and then as the server has it', async () => {
  const { id } = await reply(omar, 'Vote for this one.');
  await query(mei, 'votesQuery', { id });
  const shown = createOperationDescriptor(getRequest(artifact('votesQuery')), { id });
  const seen = [mei.lookup(shown.fragment).data.node.votes];
  const watching = mei.subscribe(mei.lookup(shown.fragment), ({ data }) => seen.push(data.node.votes));
  // So that the two can be told apart, what is expected is wrong here: the server counts one vote.
  const optimisticResponse = { votePost: { post: { id, votes: 100, viewerHasVoted: true }, userErrors: [] } };
  const { votePost } = await mutate(mei, 'voteMutation', { id }, { optimisticResponse });
  watching.dispose();
  assert.deepEqual(votePost.userErrors, []);
  assert.deepEqual(seen, [0, 100, 1]);
});
