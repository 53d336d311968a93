// What the frontend asks for.

import { gql } from '@apollo/client';

export const COURSES = gql`
  query Courses($first: Int!, $after: String, $orderBy: CourseOrder! = TITLE) {
    courses(first: $first, after: $after, orderBy: $orderBy) {
      edges {
        node {
          id
          title
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`;

// A fragment on the interface matches each type that implements it, which the cache knows by possibleTypes.
export const THING = gql`
  query Thing($id: ID!) {
    node(id: $id) {
      id
      ...Named
    }
  }

  fragment Named on Node {
    ... on Course {
      title
      rating {
        count
      }
    }
    ... on Topic {
      name
    }
  }
`;

export const ME = gql`
  query Me {
    me {
      id
      name
      email
    }
  }
`;

export const STAFF = gql`
  query Staff {
    course(slug: "living-soil") {
      id
      staff {
        role
        person {
          id
          name
          email
        }
      }
    }
  }
`;

export const THREAD = gql`
  query Thread($id: ID!, $first: Int!, $after: String) {
    node(id: $id) {
      id
      ... on Thread {
        title
        postCount
        posts(first: $first, after: $after) {
          edges {
            node {
              id
              body
              votes
              viewerHasVoted
            }
          }
          pageInfo {
            hasNextPage
            endCursor
          }
        }
      }
    }
  }
`;

export const VOTES = gql`
  query Votes($id: ID!) {
    node(id: $id) {
      id
      ... on Post {
        votes
        viewerHasVoted
      }
    }
  }
`;

// Every payload has what changed, with its id, and `userErrors`: what a person can mend.

export const ASK = gql`
  mutation Ask($courseId: ID!, $input: CreateThreadInput!) {
    createThread(courseId: $courseId, input: $input) {
      thread {
        id
        title
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

export const REPLY = gql`
  mutation Reply($threadId: ID!, $body: String!) {
    createPost(threadId: $threadId, input: { body: $body }) {
      post {
        id
        body
        thread {
          id
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

export const VOTE = gql`
  mutation Vote($id: ID!) {
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

export const NEWS = gql`
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
        isMine
      }
    }
  }
`;
