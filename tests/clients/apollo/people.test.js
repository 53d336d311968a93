// What is about people: fields that not everybody may see.

import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { CombinedGraphQLErrors } from '@apollo/client/errors';

import { ME, STAFF } from './documents.js';
import { TOKENS, cache, client } from './stoa.js';

test('what the viewer may not see is null, and the answer says why', async (t) => {
  const told = [];
  const onRedactions = (redactions, operation) => told.push({ operation, redactions });
  const { apollo, close } = client({ token: TOKENS.mei, cache: cache({}), onRedactions });
  t.after(close);

  const { data, error } = await apollo.query({ query: STAFF });
  assert.equal(error, undefined);
  const ana = data.course.staff.find(({ person }) => person.name === 'Ana Pereira');
  assert.equal(ana.person.email, null);

  const [{ operation, redactions }] = told;
  assert.equal(operation, 'Staff');
  const [email] = redactions.filter(({ field }) => field === 'Person.email');
  assert.equal(email.category, 'CONTACT');
  assert.equal(email.reason, 'NOT_IN_AUDIENCE');
  assert.equal(email.places, data.course.staff.length);
  assert.ok(email.seenBy.includes('ONESELF'));
});

test('whoever prefers errors gets them, each with its place', async (t) => {
  const headers = { 'stoa-denied-fields': 'errors' };
  const { apollo, close } = client({ token: TOKENS.mei, cache: cache({}), headers });
  t.after(close);

  const { data, error } = await apollo.query({ query: STAFF, errorPolicy: 'all' });
  assert.equal(data.course.staff[0].person.email, null);
  assert.ok(CombinedGraphQLErrors.is(error));
  const [{ path, extensions }] = error.errors;
  assert.equal(extensions.code, 'FIELD_FORBIDDEN');
  assert.equal(extensions.reason, 'NOT_IN_AUDIENCE');
  assert.deepEqual(path, ['course', 'staff', 0, 'person', 'email']);
});

test('two people at one browser need two caches', async (t) => {
  const kept = cache({});
  const mei = client({ token: TOKENS.mei, cache: kept });
  const { data } = await mei.apollo.query({ query: ME });
  assert.equal(data.me.email, 'mei@school.example');
  // Signing out empties the cache: what Mei saw is not Omar's.
  await mei.apollo.clearStore();
  await mei.close();
  const omar = client({ token: TOKENS.omar, cache: kept });
  t.after(omar.close);
  const { data: his } = await omar.apollo.query({ query: ME });
  assert.equal(his.me.email, 'omar@school.example');
});
