// Automatic persisted queries: after the first time a document's hash is enough.

import { strict as assert } from 'node:assert';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { gql } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

import { TOKENS, client } from './stoa.js';

/** A client with persisted queries, and what it sends. */
function frontend(options) {
  const sent = [];
  const noting = (url, request) => {
    const parameters = request.method === 'GET' ? Object.fromEntries(new globalThis.URL(url).searchParams) : JSON.parse(request.body);
    sent.push({ method: request.method, withText: Boolean(parameters.query) });
    return fetch(url, request);
  };
  const urql = client({ token: TOKENS.mei, fetch: noting, exchanges: [persistedExchange(options)] });
  return { urql, sent };
}

// A name of its own for each run, so that the server can't know the document from before.
const fresh = () => gql(`query Once_${randomUUID().replaceAll('-', '')} { topics { id name } }`);

test('a document is sent once, then only its hash, by GET', async () => {
  const query = fresh();
  const { urql, sent } = frontend({ preferGetForPersistedQueries: true });
  const { data, error } = await urql.query(query, {});
  assert.equal(error, undefined);
  assert.ok(data.topics.length > 0);
  assert.deepEqual(sent.map(({ withText }) => withText), [false, true]);

  const again = await urql.query(query, {}, { requestPolicy: 'network-only' });
  assert.deepEqual(again.data, data);
  assert.deepEqual(sent.at(-1), { method: 'GET', withText: false });
});

test('it goes by POST as well', async () => {
  const query = fresh();
  const { urql, sent } = frontend({ preferGetForPersistedQueries: false });
  assert.equal((await urql.query(query, {})).error, undefined);
  assert.equal((await urql.query(query, {}, { requestPolicy: 'network-only' })).error, undefined);
  assert.deepEqual(sent.map(({ withText }) => withText), [false, true, false]);
  assert.equal(sent.at(-1).method, 'POST');
});
