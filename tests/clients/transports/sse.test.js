// graphql-sse: live data as server-sent events, each operation on a connection of its own.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { NetworkError, createClient } from 'graphql-sse';
import { POST_ADDED, headersOf, newThread, next, post, tokens, until, url } from './school.js';

/** A client that gives up at once, unless a test says otherwise, and is disposed of when the test ends. */
function client(t, options) {
  const made = createClient({ url, retryAttempts: 0, ...options });
  t.after(() => made.dispose());
  return made;
}

const as = (person) => ({ headers: headersOf(person) });

/** Lets connections through to the server, and can cut them all. */
async function cutter(t) {
  const { hostname, port } = new URL(url);
  const open = new Set();
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of open) socket.destroy();
    open.clear();
  };
  t.after(() => {
    cut();
    server.close();
  });
  return { cut, url: `http://127.0.0.1:${server.address().port}/graphql` };
}

test('a subscription hears what somebody else posts', async (t) => {
  const threadId = await newThread('As events');
  const posts = client(t, as('omar')).iterate({ query: POST_ADDED, variables: { threadId } });
  const heard = await until(next(posts), (n) => post('mei', threadId, `Number ${n}`));
  assert.equal(heard.errors, undefined);
  assert.match(heard.data.postAdded.post.body, /^Number \d+$/);
  assert.equal(heard.data.postAdded.post.author.name, 'Mei Tanaka');
});

test('a token that is not good is answered with 401', async (t) => {
  const nobody = client(t, { headers: { Authorization: 'Bearer stoa_nonsense' } });
  await assert.rejects(next(nobody.iterate({ query: '{ __typename }' })), (error) => {
    assert.ok(error instanceof NetworkError);
    assert.equal(error.response.status, 401);
    return true;
  });
});

test('a client that asks for a token anew when it was refused comes in', async (t) => {
  const offered = ['stoa_nonsense', tokens.mei];
  const patient = client(t, {
    headers: () => ({ Authorization: `Bearer ${offered.shift()}` }),
    retryAttempts: 1,
    retry: async () => {},
  });
  const answer = await next(patient.iterate({ query: '{ me { name } }' }));
  assert.deepEqual(answer.data, { me: { name: 'Mei Tanaka' } });
  assert.deepEqual(offered, []);
});

test('a subscription outlives its connection: the client subscribes again by itself', async (t) => {
  const threadId = await newThread('Cut off');
  const between = await cutter(t);
  const connections = [];
  const patient = client(t, {
    ...as('omar'),
    url: between.url,
    retryAttempts: 3,
    retry: async () => {},
    on: { connected: (again) => connections.push(again) },
  });
  const posts = patient.iterate({ query: POST_ADDED, variables: { threadId } });
  await until(next(posts), (n) => post('mei', threadId, `Before ${n}`));
  between.cut();
  const isAfter = async () => {
    for (;;) {
      const { body } = (await next(posts)).data.postAdded.post;
      if (body.startsWith('After')) return body;
    }
  };
  assert.match(await until(isAfter(), (n) => post('mei', threadId, `After ${n}`)), /^After/);
  assert.deepEqual(connections, [false, true]);
});

test('queries and mutations run there, too', async (t) => {
  const threadId = await newThread('Not only events');
  const mei = client(t, as('mei'));
  const once = async (payload) => {
    const answers = [];
    for await (const answer of mei.iterate(payload)) answers.push(answer);
    assert.equal(answers.length, 1);
    return answers[0];
  };
  assert.deepEqual((await once({ query: '{ me { name } }' })).data, { me: { name: 'Mei Tanaka' } });
  const query = `mutation Write($threadId: ID!) {
    createPost(threadId: $threadId, input: { body: "From here" }) { post { body } userErrors { code } }
  }`;
  const { data } = await once({ query, variables: { threadId }, operationName: 'Write' });
  assert.deepEqual(data.createPost, { post: { body: 'From here' }, userErrors: [] });
});

test('a document that can not be carried out is answered with its errors, and that is all', async (t) => {
  const mei = client(t, as('mei'));
  for (const [query, code] of [
    ['{', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothingOfThisName }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { nothingOfThisName }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { postAdded(threadId: "nonsense") { missed } }', 'BAD_USER_INPUT'],
  ]) {
    const answers = [];
    for await (const answer of mei.iterate({ query })) answers.push(answer);
    assert.equal(answers.length, 1, query);
    assert.equal(answers[0].data, undefined);
    assert.equal(answers[0].errors[0].extensions.code, code, query);
  }
});

test('the single connection mode is refused, and the message says what to do', async () => {
  // What a client sends first in that mode: it reserves a stream.
  const response = await fetch(url, { method: 'PUT', ...as('mei') });
  assert.equal(response.status, 405);
  const { errors } = await response.json();
  assert.match(errors[0].message, /leave `singleConnection` out/);
});
