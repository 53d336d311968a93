// graphql-ws: live data on a WebSocket.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { POST_ADDED, ask, headersOf, newThread, next, post, tokens, until, url } from './school.js';

const socketUrl = url.replace(/^http/, 'ws');

/** A client that gives up at once, unless a test says otherwise, and is disposed of when the test ends. */
function client(t, options) {
  const made = createClient({ url: socketUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  t.after(() => made.dispose());
  return made;
}

const as = (person) => ({ connectionParams: headersOf(person) });

test('a subscription hears what somebody else posts', async (t) => {
  const threadId = await newThread('On a WebSocket');
  const posts = client(t, as('omar')).iterate({ query: POST_ADDED, variables: { threadId } });
  const heard = await until(next(posts), (n) => post('mei', threadId, `Number ${n}`));
  assert.equal(heard.errors, undefined);
  assert.match(heard.data.postAdded.post.body, /^Number \d+$/);
  assert.equal(heard.data.postAdded.post.author.name, 'Mei Tanaka');
});

test('a token that is not good closes the connection with 4403', async (t) => {
  const nobody = client(t, { connectionParams: { Authorization: 'Bearer stoa_nonsense' } });
  await assert.rejects(next(nobody.iterate({ query: '{ __typename }' })), (event) => {
    assert.equal(event.code, 4403);
    assert.match(event.reason, /^Forbidden/);
    return true;
  });
});

test('a client that asks for a token anew when it was refused comes in', async (t) => {
  const offered = ['stoa_nonsense', tokens.mei];
  const codes = [];
  const patient = client(t, {
    connectionParams: () => ({ Authorization: `Bearer ${offered.shift()}` }),
    retryAttempts: 1,
    retryWait: async () => {},
    on: { closed: (event) => codes.push(event.code) },
  });
  const answer = await next(patient.iterate({ query: '{ me { name } }' }));
  assert.deepEqual(answer.data, { me: { name: 'Mei Tanaka' } });
  assert.equal(codes[0], 4403);
});

test('a subscription outlives its connection: the client subscribes again by itself', async (t) => {
  const threadId = await newThread('Broken off');
  const opened = [];
  const patient = client(t, {
    ...as('omar'),
    retryAttempts: 3,
    retryWait: async () => {},
    shouldRetry: () => true,
    on: { opened: (socket) => opened.push(socket) },
  });
  const posts = patient.iterate({ query: POST_ADDED, variables: { threadId } });
  await until(next(posts), (n) => post('mei', threadId, `Before ${n}`));
  opened[0].terminate();
  const isAfter = async () => {
    for (;;) {
      const { body } = (await next(posts)).data.postAdded.post;
      if (body.startsWith('After')) return body;
    }
  };
  assert.match(await until(isAfter(), (n) => post('mei', threadId, `After ${n}`)), /^After/);
  assert.equal(opened.length, 2);
});

test('queries and mutations run there, too', async (t) => {
  const threadId = await newThread('Not only subscriptions');
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

test('a document that can not be carried out ends with its errors, and the connection goes on', async (t) => {
  const mei = client(t, as('mei'));
  for (const [query, code] of [
    ['{', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothingOfThisName }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { nothingOfThisName }', 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription { postAdded(threadId: "nonsense") { missed } }', 'BAD_USER_INPUT'],
  ]) {
    await assert.rejects(next(mei.iterate({ query })), (errors) => {
      assert.ok(Array.isArray(errors), `${query}: ${errors}`);
      assert.equal(errors[0].extensions.code, code, query);
      return true;
    });
  }
  assert.deepEqual((await next(mei.iterate({ query: '{ me { name } }' }))).data, { me: { name: 'Mei Tanaka' } });
});

test('without a token there is nobody, who may ask what is public', async (t) => {
  const answer = await next(client(t, {}).iterate({ query: '{ me { name } topics { slug } }' }));
  assert.equal(answer.data.me, null);
  assert.ok(answer.data.topics.length > 0);
});

test('a connection that is opened at once is kept alive by pings', async (t) => {
  const pongs = [];
  let seen;
  const third = new Promise((resolve) => (seen = resolve));
  client(t, {
    ...as('mei'),
    lazy: false,
    keepAlive: 20,
    on: { pong: (received) => received && pongs.push(received) >= 3 && seen() },
  });
  await third;
});

test('a lazy connection closes when nothing is asked any more', async (t) => {
  let seen;
  const closed = new Promise((resolve) => (seen = resolve));
  const lazy = client(t, { ...as('mei'), lazyCloseTimeout: 0, on: { closed: seen } });
  await next(lazy.iterate({ query: '{ me { name } }' }));
  const event = await closed;
  assert.equal(event.code, 1000);
  assert.equal((await ask('mei', '{ me { name } }')).me.name, 'Mei Tanaka');
});

test('an id that is in use closes the connection, and the reason names it', async (t) => {
  const socket = new WebSocket(socketUrl, 'graphql-transport-ws');
  t.after(() => socket.terminate());
  const say = (message) => socket.send(JSON.stringify(message));
  const closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
  socket.on('open', () => say({ type: 'connection_init', payload: headersOf('mei') }));
  socket.on('message', () => {
    for (let n = 0; n < 2; n += 1) {
      say({ type: 'subscribe', id: 'twice', payload: { query: 'subscription { notificationAdded { id } }' } });
    }
  });
  assert.deepEqual(await closed, { code: 4409, reason: 'Subscriber for twice already exists' });
});
