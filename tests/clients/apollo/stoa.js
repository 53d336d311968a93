// How a frontend sets Apollo Client up against Stoa. The tests beside this file show what comes of it.

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { filter, firstValueFrom, map, tap, timeout } from 'rxjs';
import WebSocket from 'ws';

export const URL = process.env.STOA_URL ?? 'http://127.0.0.1:8000/graphql';

const NAME = 'stoa-tests-apollo';

export const TOKENS = {
  mei: process.env.STOA_TOKEN_MEI,
  omar: process.env.STOA_TOKEN_OMAR,
  ana: process.env.STOA_TOKEN_ANA,
};

/**
 * Which types an interface or union can be. Fragments on `Node` and on unions match only if the cache knows it.
 * A frontend does this once when it is built, and keeps the answer as a file.
 */
export async function possibleTypes(fetcher = fetch) {
  const query = '{ __schema { types { kind name possibleTypes { name } } } }';
  const answer = await fetcher(URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query }),
  });
  const { data } = await answer.json();
  return Object.fromEntries(
    data.__schema.types
      .filter(({ kind }) => kind === 'INTERFACE' || kind === 'UNION')
      .map(({ name, possibleTypes }) => [name, possibleTypes.map((type) => type.name)]),
  );
}

/** What is kept by `__typename` and `id` needs no word here. Two things do: lists by pages, and parts without an id. */
export function cache(possibleTypes) {
  return new InMemoryCache({
    possibleTypes,
    typePolicies: {
      // Each list is one list, however many pages were fetched, for each set of the arguments named here.
      // Ask for `edges`, not `nodes`: it is `edges` that the policy joins.
      Query: { fields: { courses: relayStylePagination(['filter', 'orderBy']) } },
      Thread: { fields: { posts: relayStylePagination(['orderBy']) } },
      Forum: { merge: true, fields: { threads: relayStylePagination() } },
      // A part of something with an id, such as a course's rating, is kept with the whole. Queries that ask for
      // different fields of it complete each other.
      CourseRating: { merge: true },
    },
  });
}

/**
 * A client for whoever holds the token; without one, for nobody.
 *
 * `onRedactions` is told what an answer leaves out because the viewer may not see it. `links` stand before the one that
 * sends, such as persisted queries.
 */
export function client({ token, cache, onRedactions = () => {}, links = [], headers = {}, fetch: fetcher = fetch }) {
  const authorization = token ? { authorization: `Bearer ${token}` } : {};
  const http = new HttpLink({ uri: URL, fetch: fetcher, headers: { ...authorization, ...headers } });
  // `clientAwareness` of the client is sent as `apollographql-client-name` and `-version`.
  const asking = ApolloLink.from([redactions(onRedactions), ...links, http]);
  const socket = createClient({
    url: URL.replace(/^http/, 'ws'),
    // Node 20 has no WebSocket of its own. A browser has one, and needs neither this line nor the package `ws`.
    webSocketImpl: WebSocket,
    connectionParams: { ...authorization, 'apollographql-client-name': NAME },
  });
  const apollo = new ApolloClient({
    cache,
    clientAwareness: { name: NAME, version: '1.0.0' },
    link: ApolloLink.split(
      ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
      new GraphQLWsLink(socket),
      asking,
    ),
  });
  return {
    apollo,
    close: () => {
      apollo.stop();
      return socket.dispose();
    },
  };
}

/** Hands on `extensions.redactions`: Apollo Client gives extensions to links, not to whoever asked. */
function redactions(tell) {
  return new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      tap(({ extensions }) => extensions?.redactions && tell(extensions.redactions, operation.operationName)),
    ),
  );
}

/** The first answer that `fits`: of a query that is shown, or of a subscription. */
export function until(answers, fits) {
  return firstValueFrom(
    answers.pipe(
      // A query tells that it is loading, too.
      filter(({ data, dataState = 'complete' }) => data && dataState === 'complete' && fits(data)),
      map(({ data }) => data),
      timeout(20_000),
    ),
  );
}
