// How a frontend sets urql up against Stoa, with Graphcache. The tests beside this file show what comes of it.

import { Client, fetchExchange, gql } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { minifyIntrospectionQuery } from '@urql/introspection';
import { getIntrospectionQuery } from 'graphql';

export const URL = process.env.STOA_URL ?? 'http://127.0.0.1:8000/graphql';

export const TOKENS = {
  mei: process.env.STOA_TOKEN_MEI,
  omar: process.env.STOA_TOKEN_OMAR,
  ana: process.env.STOA_TOKEN_ANA,
};

/** The schema, without what Graphcache has no use for. A frontend does this when it is built, and keeps a file. */
export async function introspection() {
  const answer = await fetch(URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: getIntrospectionQuery({ descriptions: false }) }),
  });
  const { data } = await answer.json();
  return minifyIntrospectionQuery(data);
}

/**
 * What has no `id` is a part of something that has one, such as a course's rating, and is kept with it. Graphcache wants
 * to be told; the schema knows.
 */
export function embedded(schema) {
  const objects = schema.__schema.types.filter(({ kind }) => kind === 'OBJECT');
  const parts = objects.filter(({ fields }) => !fields.some(({ name }) => name === 'id'));
  return Object.fromEntries(parts.map(({ name }) => [name, () => null]));
}

/** The cache. `warnings` gets what Graphcache is not happy with. */
export function cache(schema, warnings = []) {
  return cacheExchange({
    schema,
    keys: embedded(schema),
    resolvers: {
      // One list, however many pages were fetched. It joins `edges`, and `nodes` as well.
      Query: { courses: relayPagination() },
      Thread: { posts: relayPagination() },
      Person: { bookmarks: relayPagination() },
    },
    updates: {
      Mutation: {
        // The payload has the thread's new count. Which page the post is on it can't tell: the pages are read again.
        createPost(result, _arguments, cache) {
          const thread = result.createPost.post?.thread;
          if (!thread) return;
          for (const { fieldName, arguments: given } of cache.inspectFields(thread)) {
            if (fieldName === 'posts') cache.invalidate(thread, fieldName, given);
          }
        },
        // What is deleted goes out of every list by its id.
        removeBookmark(result, _arguments, cache) {
          const id = result.removeBookmark.removedId;
          if (id) cache.invalidate({ __typename: 'Bookmark', id });
        },
      },
    },
    optimistic: {
      // What the server is going to say, most likely.
      votePost({ postId: id }, cache) {
        const post = cache.readFragment(gql`fragment _ on Post { id votes }`, { id });
        return {
          __typename: 'VotePostPayload',
          post: { __typename: 'Post', id, votes: (post?.votes ?? 0) + 1, viewerHasVoted: true },
          userErrors: [],
        };
      },
    },
    // Its `debug` tells of each value that is not in the cache yet.
    logger: (severity, message) => severity !== 'debug' && warnings.push(message),
  });
}

/** A client for whoever holds the token; without one, for nobody. `exchanges` stand between the cache and the network. */
export function client({ token, cache, exchanges = [], fetch: fetcher, ...options }) {
  return new Client({
    url: URL,
    exchanges: [...(cache ? [cache] : []), ...exchanges, fetchExchange],
    fetch: fetcher,
    fetchOptions: () => ({
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        'graphql-client-name': 'stoa-tests-urql',
      },
    }),
    ...options,
  });
}
