// A client of one function: it takes a typed document, and gives a typed answer.

import type { TypedDocumentString } from './gql/graphql.js';

const URL = process.env['STOA_URL'] ?? 'http://127.0.0.1:8000/graphql';

export const TOKENS = {
  mei: process.env['STOA_TOKEN_MEI'],
  omar: process.env['STOA_TOKEN_OMAR'],
  ana: process.env['STOA_TOKEN_ANA'],
};

/** Why a field is null though there may be something: see docs/ERRORS.md. */
export interface Redaction {
  readonly field: string;
  readonly category: string;
  readonly reason: string;
  readonly needed: string;
  readonly seenBy: readonly string[];
  readonly places: number;
}

export interface GraphQLError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions: { readonly code: string };
}

export interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphQLError[];
  readonly extensions?: { readonly redactions?: readonly Redaction[] };
}

/** Asks as whoever holds the token; without one, as nobody. */
export async function ask<Data, Variables>(
  token: string | undefined,
  document: TypedDocumentString<Data, Variables>,
  // A document without variables takes none; one with variables can't go without them.
  ...[variables]: Variables extends Record<string, never> ? [] : [Variables]
): Promise<Answer<Data>> {
  const answer = await fetch(URL, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json;q=0.9',
      'graphql-client-name': 'stoa-tests-typescript',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  return (await answer.json()) as Answer<Data>;
}
