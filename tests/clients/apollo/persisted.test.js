// Automatic persisted queries: after the first time a document's hash is enough. And the manifest for a server that takes
// no others.

import { strict as assert } from 'node:assert';
import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { gql } from '@apollo/client';
import { print } from '@apollo/client/utilities';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

import * as documents from './documents.js';
import { TOKENS, cache, client } from './stoa.js';

const sha256 = (text) => createHash('sha256').update(text).digest('hex');

/** A client with persisted queries, and what it sends. */
function frontend(t, options) {
  const sent = [];
  const noting = (url, request) => {
    sent.push({ url: new URL(url), method: request.method, body: request.body && JSON.parse(request.body) });
    return fetch(url, request);
  };
  const links = [new PersistedQueryLink({ sha256, ...options })];
  const { apollo, close } = client({ token: TOKENS.mei, cache: cache({}), fetch: noting, links });
  t.after(close);
  return { apollo, sent };
}

// A name of its own for each run, so that the server can't know the document from before.
const fresh = () => gql(`query Once_${randomUUID().replaceAll('-', '')} { topics { id name } }`);

test('a document is sent once, then only its hash', async (t) => {
  const query = fresh();
  const { apollo, sent } = frontend(t);
  const { data } = await apollo.query({ query });
  assert.ok(data.topics.length > 0);
  // The hash alone was not known; so the document came with it.
  assert.deepEqual(sent.map(({ body }) => 'query' in body), [false, true]);
  const [{ body }] = sent;
  assert.match(body.extensions.persistedQuery.sha256Hash, /^[0-9a-f]{64}$/);

  await apollo.query({ query, fetchPolicy: 'network-only' });
  assert.deepEqual(sent.map(({ body }) => 'query' in body), [false, true, false]);
  // Everybody profits: another client never sends the text.
  const other = frontend(t);
  await other.apollo.query({ query });
  assert.deepEqual(other.sent.map(({ body }) => 'query' in body), [false]);
});

test('a hash goes by GET, so that caches on the way can help', async (t) => {
  const query = fresh();
  const { apollo, sent } = frontend(t, { useGETForHashedQueries: true });
  await apollo.query({ query });
  const { data } = await apollo.query({ query, fetchPolicy: 'network-only' });
  assert.ok(data.topics.length > 0);
  const { method, url } = sent.at(-1);
  assert.equal(method, 'GET');
  assert.equal(url.searchParams.has('query'), false);
  assert.ok(url.searchParams.get('extensions').includes('sha256Hash'));
});

test('a hash that is not of the document is refused', async (t) => {
  const query = fresh();
  const { apollo } = frontend(t, { sha256: () => '0'.repeat(64) });
  await assert.rejects(apollo.query({ query }));
});

test('the manifest has what is sent, by the hashes that are sent', async () => {
  // `stoa documents add` takes it. After a change in documents.js write it anew, in this folder, by
  // npx --package @apollo/generate-persisted-query-manifest@1.4.0 generate-persisted-query-manifest
  const file = new globalThis.URL('../../fixtures/documents/apollo.json', import.meta.url);
  const { format, operations } = JSON.parse(await readFile(file, 'utf8'));
  assert.equal(format, 'apollo-persisted-query-manifest');
  const { apollo, close } = client({ cache: cache({}) });
  const sent = Object.values(documents).map((document) => sha256(print(apollo.cache.transformDocument(document))));
  await close();
  assert.deepEqual(operations.map(({ id }) => id).sort(), sent.sort());
});
