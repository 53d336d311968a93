// What everybody may read: lists by pages, the schema's word in the cache, redactions and errors.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { gql } from '@urql/core';

import { TOKENS, cache, client, embedded, introspection } from './stoa.js';
import { shown } from './shown.js';

const schema = await introspection();

const COURSES = gql`
  query Courses($first: Int!, $after: String) {
    courses(first: $first, after: $after) {
      edges {
        node {
          id
          title
          rating {
            count
          }
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

const titles = ({ data }) => data?.courses?.edges.map(({ node }) => node.title);

test('a query goes by GET, says who asks, and accepts the media type of GraphQL over HTTP', async () => {
  const asked = [];
  const noting = (url, options) => {
    asked.push({ url, ...options });
    return fetch(url, options);
  };
  const { data, error } = await client({ fetch: noting }).query(gql`query Topics { topics { id name } }`, {});
  assert.equal(error, undefined);
  assert.ok(data.topics.length > 0);
  const [{ method, headers }] = asked;
  assert.equal(method, 'GET');
  assert.match(headers.accept, /^application\/graphql-response\+json,/);
  assert.equal(headers['graphql-client-name'], 'stoa-tests-urql');
});

test('the catalogue is read page by page into one list', async () => {
  const warnings = [];
  const urql = client({ cache: cache(schema, warnings) });
  const one = await urql.query(COURSES, { first: 2 });
  assert.deepEqual(titles(one), ['Compost, Step by Step', 'Le sol vivant']);
  const { hasNextPage, endCursor } = one.data.courses.pageInfo;
  assert.equal(hasNextPage, true);

  const both = await urql.query(COURSES, { first: 2, after: endCursor });
  assert.deepEqual(titles(both), ['Compost, Step by Step', 'Le sol vivant', 'Living Soil']);
  assert.equal(both.data.courses.pageInfo.hasNextPage, false);
  assert.deepEqual(warnings, []);
});

test('by the schema it knows what may be missing: it shows what it has, and asks for the rest', async () => {
  const warnings = [];
  const urql = client({ cache: cache(schema, warnings) });
  await urql.query(COURSES, { first: 3 });
  const more = gql`
    query Levels($first: Int!) {
      courses(first: $first) {
        edges {
          node {
            id
            title
            level
          }
        }
      }
    }
  `;
  const seen = shown(urql.query(more, { first: 3 }));
  const before = await seen.until(({ stale }) => stale);
  assert.deepEqual(before.data.courses.edges.map(({ node }) => node.level), [null, null, null]);
  const after = await seen.until(({ stale }) => !stale);
  seen.stop();
  assert.deepEqual(after.data.courses.edges.map(({ node }) => node.level), ['INTERMEDIATE', 'BEGINNER', 'BEGINNER']);
  assert.deepEqual(warnings, []);
});

test('types without an id are parts, found by the schema', () => {
  const parts = Object.keys(embedded(schema));
  for (const part of ['CourseRating', 'Forum', 'UserError', 'StaffMember']) assert.ok(parts.includes(part), part);
  for (const whole of ['Course', 'Post', 'Person']) assert.ok(!parts.includes(whole), whole);
});

test('what the viewer may not see is null, and the answer says why', async () => {
  const staff = gql`
    query Staff {
      course(slug: "living-soil") {
        id
        staff {
          person {
            id
            name
            email
          }
        }
      }
    }
  `;
  const urql = client({ token: TOKENS.mei, cache: cache(schema) });
  const { data, error, extensions } = await urql.query(staff, {});
  assert.equal(error, undefined);
  assert.deepEqual(data.course.staff.map(({ person }) => person.email), [null, null]);
  const email = extensions.redactions.find(({ field }) => field === 'Person.email');
  assert.deepEqual([email.reason, email.category, email.places], ['NOT_IN_AUDIENCE', 'CONTACT', 2]);
});

test('an error has a code, and the place of what failed', async () => {
  const { data, error } = await client({}).query(COURSES, { first: 1_000 });
  const [{ path, extensions }] = error.graphQLErrors;
  assert.equal(error.networkError, undefined);
  assert.equal(extensions.code, 'BAD_USER_INPUT');
  assert.deepEqual(path, ['courses']);
  assert.equal(data.courses, null);
});

test('a document that does not fit the schema is refused with its code, in an answer that urql reads', async () => {
  const { error } = await client({}).query(gql`query Wrong { courses(first: 1) { colour } }`, {});
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
});

test('a token that is none is refused', async () => {
  const { error } = await client({ token: 'stoa_not-a-token' }).query(COURSES, { first: 1 });
  assert.equal(error.networkError, undefined);
  assert.equal(error.graphQLErrors[0].extensions.code, 'UNAUTHENTICATED');
});
