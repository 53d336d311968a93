// Typed operations: what the compiler knows of the answers, and that the answers are so.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { graphql, read, type FragmentType } from './gql/index.js';
import type { Level, UserErrorCode } from './gql/graphql.js';
import { TOKENS, ask } from './stoa.js';

const Card = graphql(`
  fragment Card on Course {
    title
    level
    publishedAt
  }
`);

const Catalogue = graphql(`
  query Catalogue($first: Int!, $after: String, $filter: CourseFilter) {
    courses(first: $first, after: $after, filter: $filter) {
      edges {
        node {
          id
          ...Card
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const Me = graphql(`
  query Me {
    me {
      name
      email
    }
  }
`);

const Thing = graphql(`
  query Thing($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Course {
        title
      }
      ... on Topic {
        name
      }
    }
  }
`);

const Reply = graphql(`
  mutation Reply($threadId: ID!, $input: CreatePostInput!) {
    createPost(threadId: $threadId, input: $input) {
      post {
        id
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** A component that is given its fragment, and can read that and nothing else. */
function card(course: FragmentType<typeof Card>): string {
  const { title, level, publishedAt } = read(Card, course);
  const known: Level | null | undefined = level;
  return `${title} (${known ?? 'for all'}) since ${new Date(publishedAt).getUTCFullYear()}`;
}

test('the answer has the types that the schema says', async () => {
  const { data, errors } = await ask(undefined, Catalogue, { first: 10, filter: { levels: ['BEGINNER'] } });
  assert.equal(errors, undefined);
  const courses = data?.courses?.edges ?? [];
  assert.deepEqual(courses.map(({ node }) => card(node)), [
    'Le sol vivant (BEGINNER) since 2026',
    'Living Soil (BEGINNER) since 2025',
  ]);
  const more: boolean | undefined = data?.courses?.pageInfo.hasNextPage;
  assert.equal(more, false);
});

test('a page is followed by the next', async () => {
  const titles = async (after: string | null): Promise<string[]> => {
    const { data } = await ask(undefined, Catalogue, { first: 1, after });
    assert.ok(data?.courses);
    const { edges, pageInfo } = data.courses;
    const here = edges.map(({ node }) => read(Card, node).title);
    return pageInfo.hasNextPage ? [...here, ...(await titles(pageInfo.endCursor ?? null))] : here;
  };
  assert.deepEqual(await titles(null), ['Compost, Step by Step', 'Le sol vivant', 'Living Soil']);
});

test('a node is one of many types, and the compiler knows which fields each has', async () => {
  const { data: catalogue } = await ask(undefined, Catalogue, { first: 1 });
  const id = catalogue?.courses?.edges[0]?.node.id;
  assert.ok(id);
  const { data } = await ask(undefined, Thing, { id });
  assert.equal(data?.node?.__typename, 'Course');
  if (data.node.__typename === 'Course') {
    const title: string = data.node.title;
    assert.equal(title, 'Compost, Step by Step');
    // @ts-expect-error: a course has no `name`.
    assert.equal(data.node.name, undefined);
  }
});

test('nobody has signed in: then there is no `me`', async () => {
  const { data } = await ask(undefined, Me);
  assert.equal(data?.me, null);
  const { data: mei } = await ask(TOKENS.mei, Me);
  assert.equal(mei?.me?.email, 'mei@school.example');
});

test('what a person can mend has a code that the compiler knows', async () => {
  const forum = graphql(`
    query Forum {
      course(slug: "living-soil") {
        forum {
          threads(first: 1) {
            edges {
              node {
                id
              }
            }
          }
        }
      }
    }
  `);
  const { data: found } = await ask(TOKENS.mei, forum);
  const threadId = found?.course?.forum?.threads.edges[0]?.node.id;
  assert.ok(threadId);
  const { data } = await ask(TOKENS.mei, Reply, { threadId, input: { body: '' } });
  assert.equal(data?.createPost?.post, null);
  const code: UserErrorCode | undefined = data?.createPost?.userErrors[0]?.code;
  assert.equal(code, 'LENGTH');
});

test('what does not fit the schema does not compile', () => {
  // Never called: it is here to be compiled. `@ts-expect-error` fails the build if the line has no fault.
  const wrong = async () => {
    // @ts-expect-error: `first` is missing.
    await ask(undefined, Catalogue, {});
    // @ts-expect-error: `first` is a number.
    await ask(undefined, Catalogue, { first: '10' });
    // @ts-expect-error: there is no such level.
    await ask(undefined, Catalogue, { first: 1, filter: { levels: ['HARD'] } });
    // @ts-expect-error: it takes no variables.
    await ask(undefined, Me, { first: 1 });
    const { data } = await ask(undefined, Catalogue, { first: 1 });
    // @ts-expect-error: what not everybody may see can be null, and that must be thought of.
    (await ask(TOKENS.mei, Me)).data?.me?.email.length;
    // @ts-expect-error: it was not asked for.
    data?.courses?.edges[0]?.cursor;
    // @ts-expect-error: it is in a fragment, which whoever names it reads.
    data?.courses?.edges[0]?.node.title;
  };
  assert.equal(typeof wrong, 'function');
});

test('the documents are in a manifest, by their hashes', async () => {
  const load = async (path: string): Promise<Record<string, string>> =>
    JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8'));
  const manifest = await load('../src/gql/persisted-documents.json');
  const hash = Catalogue.__meta__?.['hash'];
  assert.match(String(hash), /^sha256:[0-9a-f]{64}$/);
  assert.match(manifest[String(hash)] ?? '', /\bquery Catalogue\(/);
  // This copy is what the stories about `stoa documents add` take. Copy it anew after a change.
  assert.deepEqual(manifest, await load('../../../fixtures/documents/codegen.json'));
});
