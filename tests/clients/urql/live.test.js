// News by server-sent events: with what urql has itself, and with graphql-sse.

import { strict as assert } from 'node:assert';
import { before, test } from 'node:test';

import { gql, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-sse';

import { TOKENS, URL, cache, client, introspection } from './stoa.js';
import { shown } from './shown.js';

const schema = await introspection();
const omar = client({ token: TOKENS.omar });
let thread;

const NEWS = gql`
  subscription News($threadId: ID!) {
    postAdded(threadId: $threadId) {
      missed
      thread {
        id
        postCount
      }
      post {
        id
        body
      }
    }
  }
`;

before(async () => {
  const { data } = await omar.query(gql`query Soil { course(slug: "living-soil") { id } }`, {});
  const ask = gql`
    mutation Ask($courseId: ID!, $input: CreateThreadInput!) {
      createThread(courseId: $courseId, input: $input) { thread { id } userErrors { code message } }
    }
  `;
  const input = { title: 'Rain', body: 'Is there enough?', kind: 'DISCUSSION' };
  const { data: made } = await omar.mutation(ask, { courseId: data.course.id, input });
  thread = made.createThread.thread.id;
});

/** Omar writes until `frontend` is told: a post that comes before the subscription is there is not news. */
async function told(frontend) {
  const news = shown(frontend.subscription(NEWS, { threadId: thread }));
  const first = news.until(({ data, error }) => data || error);
  let heard = false;
  const writing = (async () => {
    const reply = gql`
      mutation Reply($id: ID!) { createPost(threadId: $id, input: { body: "A drop." }) { userErrors { code } } }
    `;
    while (!heard) {
      await omar.mutation(reply, { id: thread });
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  const result = await first.finally(() => (heard = true));
  await writing;
  news.stop();
  return result;
}

test("a new post comes by itself, by urql's own fetch", async () => {
  const mei = client({ token: TOKENS.mei, cache: cache(schema), fetchSubscriptions: true });
  const { data, error } = await told(mei);
  assert.equal(error, undefined);
  assert.equal(data.postAdded.missed, false);
  assert.equal(data.postAdded.post.body, 'A drop.');
  assert.ok(data.postAdded.thread.postCount > 1);
});

test('a new post comes by itself, by graphql-sse', async () => {
  const events = createClient({ url: URL, headers: { authorization: `Bearer ${TOKENS.mei}` }, retryAttempts: 0 });
  const exchange = subscriptionExchange({
    forwardSubscription: ({ query, variables, operationName, extensions }) => ({
      subscribe: (sink) => ({ unsubscribe: events.subscribe({ query, variables, operationName, extensions }, sink) }),
    }),
  });
  const mei = client({ token: TOKENS.mei, cache: cache(schema), exchanges: [exchange] });
  const { data, error } = await told(mei);
  events.dispose();
  assert.equal(error, undefined);
  assert.equal(data.postAdded.post.body, 'A drop.');
});
