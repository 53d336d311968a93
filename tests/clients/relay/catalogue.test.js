// What everybody may read: fragments, a list by pages, `node`, redactions and errors.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { ConnectionHandler, ROOT_ID, createOperationDescriptor, getRequest } = require('relay-runtime');

const { TOKENS, artifact, environment, loadNext, query, read } = require('./src/stoa.js');

test('each component reads what its fragment names, and nothing else', async () => {
  const relay = environment();
  const root = await query(relay, 'catalogueQuery');
  const list = read(relay, 'catalogue_query', root);
  const [{ node }] = list.courses.edges;
  assert.equal(node.title, undefined);
  const card = read(relay, 'catalogueCard_course', node);
  assert.equal(card.title, 'Compost, Step by Step');
  assert.equal(card.level, 'INTERMEDIATE');
  assert.equal(card.publishedAt, '2025-10-15T08:00:00Z');
  assert.equal(typeof card.rating.count, 'number');
});

test('the next page joins the list', async () => {
  const relay = environment();
  const root = await query(relay, 'catalogueQuery');
  const titles = () =>
    read(relay, 'catalogue_query', root).courses.edges.map(({ node }) => read(relay, 'catalogueCard_course', node).title);
  assert.deepEqual(titles(), ['Compost, Step by Step', 'Le sol vivant']);
  assert.equal(read(relay, 'catalogue_query', root).courses.pageInfo.hasNextPage, true);
  await loadNext(relay, 'catalogue_query', root, 2);
  assert.deepEqual(titles(), ['Compost, Step by Step', 'Le sol vivant', 'Living Soil']);
  assert.equal(read(relay, 'catalogue_query', root).courses.pageInfo.hasNextPage, false);
  // It is one record of the store, found by its key.
  const id = ConnectionHandler.getConnectionID(ROOT_ID, 'catalogue_courses', { orderBy: 'TITLE' });
  assert.equal(relay.getStore().getSource().get(id).edges.__refs.length, 3);
});

test('what the viewer may not see is null, and the answer says why', async () => {
  const told = [];
  const relay = environment({ token: TOKENS.mei, onRedactions: (list, name) => told.push(...list.map((one) => ({ name, ...one }))) });
  const { course } = await query(relay, 'soilQuery');
  assert.deepEqual(course.staff.map(({ person }) => person.email), [null, null]);
  const email = told.find(({ field }) => field === 'Person.email');
  assert.deepEqual([email.name, email.reason, email.places], ['soilQuery', 'NOT_IN_AUDIENCE', 2]);
});

test('a field that failed is null, and Relay keeps the error beside it', async () => {
  const relay = environment({ token: TOKENS.mei });
  const { node } = await query(relay, 'threadQuery', { id: 'nothing' });
  assert.equal(node, null);
  // `@throwOnFieldError` and `@catch` make of it what a component wants.
  const shown = createOperationDescriptor(getRequest(artifact('threadQuery')), { id: 'nothing' });
  const [{ error }] = relay.lookup(shown.fragment).fieldErrors;
  assert.equal(error.extensions.code, 'BAD_USER_INPUT');
});

test('a request that is refused rejects, with the code', async () => {
  const relay = environment({ token: 'stoa_not-a-token' });
  await assert.rejects(query(relay, 'catalogueQuery'), ({ source }) => {
    assert.equal(source.errors[0].extensions.code, 'UNAUTHENTICATED');
    return true;
  });
});

test('the compiler wrote a manifest of the documents, by their hashes', () => {
  const manifest = require('./documents.json');
  const { params } = artifact('threadPageQuery');
  assert.match(params.id, /^[0-9a-f]{64}$/);
  assert.equal(manifest[params.id], params.text);
  // This copy is what the stories about `stoa documents add` take. Copy it anew after a change.
  assert.deepEqual(manifest, require('../../fixtures/documents/relay.json'));
  assert.match(params.text, /query threadPageQuery\([^)]*\$id: ID!/);
});
