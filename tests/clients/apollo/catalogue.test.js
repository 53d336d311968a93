// What everybody may read: lists by pages, fragments on interfaces and unions, and errors.

import { strict as assert } from 'node:assert';
import { afterEach, test } from 'node:test';

import { gql } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';

import { COURSES, THING } from './documents.js';
import { cache, client, possibleTypes, until } from './stoa.js';

const types = await possibleTypes();
const open = [];

function frontend(options = {}) {
  const made = client({ cache: cache(types), ...options });
  open.push(made);
  return made.apollo;
}

afterEach(() => Promise.all(open.splice(0).map(({ close }) => close())));

const titles = (data) => data.courses.edges.map(({ node }) => node.title);

test('it says who asks, and accepts the media type of GraphQL over HTTP', async () => {
  const asked = [];
  const noting = (url, options) => {
    asked.push(options);
    return fetch(url, options);
  };
  const { data } = await frontend({ fetch: noting }).query({ query: gql`query Topics { topics { id name } }` });
  assert.ok(data.topics.length > 0);
  const [{ method, headers }] = asked;
  assert.equal(method, 'POST');
  assert.match(headers.accept, /^application\/graphql-response\+json,/);
  assert.equal(headers['apollographql-client-name'], 'stoa-tests-apollo');
  assert.equal(headers['apollographql-client-version'], '1.0.0');
});

test('the catalogue is read page by page into one list', async () => {
  const apollo = frontend();
  const list = apollo.watchQuery({ query: COURSES, variables: { first: 2 } });
  const one = await until(list, (data) => titles(data).length === 2);
  assert.deepEqual(titles(one), ['Compost, Step by Step', 'Le sol vivant']);
  assert.equal(one.courses.pageInfo.hasNextPage, true);

  await list.fetchMore({ variables: { after: one.courses.pageInfo.endCursor } });
  const both = await until(list, (data) => titles(data).length === 3);
  assert.deepEqual(titles(both), ['Compost, Step by Step', 'Le sol vivant', 'Living Soil']);
  assert.equal(both.courses.pageInfo.hasNextPage, false);
  // It is whole in the cache: whoever asks for it now asks nobody.
  const again = await apollo.query({ query: COURSES, variables: { first: 2 }, fetchPolicy: 'cache-only' });
  assert.deepEqual(titles(again.data), titles(both));
});

test('another order is another list', async () => {
  const apollo = frontend();
  await apollo.query({ query: COURSES, variables: { first: 3 } });
  const { data } = await apollo.query({ query: COURSES, variables: { first: 3, orderBy: 'NEWEST' } });
  assert.deepEqual(titles(data), ['Le sol vivant', 'Compost, Step by Step', 'Living Soil']);
  const { data: first } = await apollo.query({ query: COURSES, variables: { first: 3 }, fetchPolicy: 'cache-only' });
  assert.deepEqual(titles(first), ['Compost, Step by Step', 'Le sol vivant', 'Living Soil']);
});

test('what a list showed is found again by its global id, and by a fragment', async () => {
  const apollo = frontend();
  const { data } = await apollo.query({ query: COURSES, variables: { first: 1 } });
  const { id, title } = data.courses.edges[0].node;
  const kept = apollo.readFragment({ id: `Course:${id}`, fragment: gql`fragment Title on Course { id title }` });
  assert.deepEqual(kept, { __typename: 'Course', id, title });

  const { data: found } = await apollo.query({ query: THING, variables: { id } });
  assert.equal(found.node.title, title);
  assert.equal(typeof found.node.rating.count, 'number');
});

test('it knows what each interface and union can be', () => {
  assert.ok(types.Node.includes('Course') && types.Node.includes('Post'));
  assert.deepEqual([...types.Bookmarked].sort(), ['Course', 'Lesson', 'Post', 'Thread']);
});

test('an error has a code, and the place of what failed', async () => {
  const apollo = frontend();
  const asked = apollo.query({ query: COURSES, variables: { first: 1_000 } });
  await assert.rejects(asked, (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    const [{ message, path, extensions }] = error.errors;
    assert.equal(extensions.code, 'BAD_USER_INPUT');
    assert.deepEqual(path, ['courses']);
    assert.match(message, /first/);
    return true;
  });
  // With this policy the rest of the answer lives.
  const { data, error } = await apollo.query({
    query: gql`query Some { topics { id } courses(first: 1000) { edges { node { id } } } }`,
    errorPolicy: 'all',
  });
  assert.ok(data.topics.length > 0);
  // The list is null in the answer; relayStylePagination shows an empty one. So look at `error`, not at the list.
  assert.deepEqual(data.courses.edges, []);
  assert.equal(error.errors[0].extensions.code, 'BAD_USER_INPUT');
});

test('a document that does not fit the schema is refused with its code, in an answer that Apollo reads', async () => {
  const asked = frontend().query({ query: gql`query Wrong { courses(first: 1) { edges { node { id colour } } } }` });
  await assert.rejects(asked, (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
    return true;
  });
});

test('a token that is none is refused', async () => {
  const asked = frontend({ token: 'stoa_not-a-token' }).query({ query: COURSES, variables: { first: 1 } });
  await assert.rejects(asked, (error) => {
    assert.ok(CombinedGraphQLErrors.is(error), String(error));
    assert.equal(error.errors[0].extensions.code, 'UNAUTHENTICATED');
    return true;
  });
});
