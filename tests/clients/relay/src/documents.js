// What the frontend asks for. `relay-compiler` reads these and writes what is run into `__generated__`. A bundler's plugin
// (babel-plugin-relay or its like) would put that in place of each `graphql`; without a bundler the tests load it by name.

const { graphql } = require('relay-runtime');

// A list with pages, and a card that says by itself what it needs.

graphql`
  fragment catalogueCard_course on Course {
    title
    level
    publishedAt
    rating {
      count
    }
  }
`;

graphql`
  fragment catalogue_query on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "cataloguePageQuery") {
    courses(first: $count, after: $cursor, orderBy: TITLE) @connection(key: "catalogue_courses") {
      edges {
        node {
          id
          ...catalogueCard_course
        }
      }
    }
  }
`;

graphql`
  query catalogueQuery {
    ...catalogue_query
  }
`;

// A list on something with an id: its next page is asked for by `node(id:)`.

graphql`
  fragment threadPost_post on Post {
    body
    isMine
    author {
      name
    }
  }
`;

graphql`
  fragment thread_posts on Thread
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "threadPageQuery") {
    posts(first: $count, after: $cursor) @connection(key: "thread_posts") {
      edges {
        node {
          id
          ...threadPost_post
        }
      }
    }
  }
`;

graphql`
  query threadQuery($id: ID!) {
    node(id: $id) {
      __typename
      ... on Thread {
        id
        title
        postCount
        ...thread_posts @alias(as: "list")
      }
    }
  }
`;

graphql`
  query soilQuery {
    course(slug: "living-soil") {
      id
      staff {
        person {
          name
          email
        }
      }
    }
  }
`;

// Writing.

graphql`
  mutation askMutation($courseId: ID!, $input: CreateThreadInput!) {
    createThread(courseId: $courseId, input: $input) {
      thread {
        id
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

graphql`
  mutation replyMutation($threadId: ID!, $input: CreatePostInput!, $connections: [ID!]!) {
    createPost(threadId: $threadId, input: $input) {
      post @appendNode(connections: $connections, edgeTypeName: "PostEdge") {
        id
        ...threadPost_post
        thread {
          postCount
        }
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

graphql`
  fragment bookmarks_person on Person @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" }) {
    bookmarks(first: $count, after: $cursor) @connection(key: "bookmarks_bookmarks") {
      edges {
        node {
          id
          note
          thing {
            __typename
            ... on Course {
              title
            }
            ... on Node {
              id
            }
          }
        }
      }
    }
  }
`;

graphql`
  query bookmarksQuery {
    me {
      ...bookmarks_person
    }
  }
`;

graphql`
  mutation bookmarkMutation($thingId: ID!, $connections: [ID!]!) {
    addBookmark(input: { thingId: $thingId }) {
      bookmark @prependNode(connections: $connections, edgeTypeName: "BookmarkEdge") {
        id
        note
      }
      userErrors {
        code
        message
      }
    }
  }
`;

graphql`
  mutation removeBookmarkMutation($id: ID!) {
    removeBookmark(input: { bookmarkId: $id }) {
      removedId @deleteRecord
      userErrors {
        code
        message
      }
    }
  }
`;

graphql`
  mutation voteMutation($id: ID!) @raw_response_type {
    votePost(postId: $id) {
      post {
        id
        votes
        viewerHasVoted
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

graphql`
  query votesQuery($id: ID!) {
    node(id: $id) {
      ... on Post {
        votes
        viewerHasVoted
      }
    }
  }
`;
