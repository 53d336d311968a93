// The part of Stoa's schema that the operations ask for, and its resolvers as most servers want them.
import DataLoader from 'dataloader'
import { batched, plain, roots } from './reading.js'

export const typeDefs = `
  enum Level { BEGINNER INTERMEDIATE ADVANCED }
  enum LessonKind { VIDEO READING EXERCISE LINK }
  enum ReasonKind {
    POPULAR POPULAR_NOW TAKEN_NEXT SIMILAR_TO TIME_ON_TOPIC COMPLETION_RATE GOAL NEXT_LEVEL PREREQUISITES_MET FRESHNESS
    LENGTH NEXT_IN_CATALOGUE COHORT LIKELY_TO_COMPLETE LIKED ENGINE
  }
  scalar DateTime
  type Query { courses(first: Int!): CourseConnection course(slug: String!): Course me: Person }
  type CourseConnection { nodes: [Course!]! }
  type Course {
    id: ID! slug: String! title: String! level: Level
    modules: [Module!]! forum: Forum learners(first: Int!): EnrolmentConnection
  }
  type Module { id: ID! title: String! lessons: [Lesson!]! }
  type Lesson { id: ID! title: String! kind: LessonKind! seconds: Int }
  type Forum { threads(first: Int!): ThreadConnection! unreadThreads(first: Int!): ThreadConnection }
  type ThreadConnection { nodes: [Thread!]! }
  type Thread {
    id: ID! title: String createdAt: DateTime! author: Person unreadCount: Int posts(first: Int!): PostConnection!
  }
  type PostConnection { nodes: [Post!]! }
  type Post { id: ID! body: String createdAt: DateTime! author: Person }
  type Person {
    id: ID! name: String email: String education: String timeZone: String
    leftOff: LeftOff enrolments(first: Int!): EnrolmentConnection nextCourses(first: Int!): NextCourses
  }
  type LeftOff { position: Int! lesson: Lesson course: Course }
  type EnrolmentConnection { nodes: [Enrolment!]! }
  type Enrolment {
    progress: Float seconds: Int completedAt: DateTime lastActiveAt: DateTime
    course: Course learner: Person modules: [ModuleProgress!]
  }
  type ModuleProgress { progress: Float seconds: Int module: Module! lessons: [LessonProgress!] }
  type LessonProgress { score: Float }
  type NextCourses { personalised: Boolean! items: [Recommendation!]! }
  type Recommendation { score: Float! course: Course! reasons: [RecommendationReason!]! }
  type RecommendationReason { kind: ReasonKind! sentence: String! }
`

const map = (object, f) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, f(value, key)]))

/** Resolvers for servers that have no batching of their own. The context is `{ viewer }`. */
export function resolvers() {
  const all = {
    Query: map(roots, read => (_, args, { viewer }) => read(args, viewer)),
    ...map(plain, fields => map(fields, read => (thing, args, { viewer }) => read(thing, args, viewer))),
  }
  for (const [type, fields] of Object.entries(batched)) {
    all[type] = { ...all[type], ...map(fields, (read, field) => withLoader(`${type}.${field}`, read)) }
  }
  return all
}

/** A field behind a data loader of the request: one for each value of `first`, which is all that these fields take. */
function withLoader(name, read) {
  return (thing, args, { viewer }) => {
    const key = args.first === undefined ? name : `${name}/${args.first}`
    let loader = viewer.loaders.get(key)
    if (loader === undefined) {
      // The things are new in each request and each is asked once, so there is nothing to keep.
      loader = new DataLoader(things => read(things, args, viewer), { cache: false })
      viewer.loaders.set(key, loader)
    }
    return loader.load(thing)
  }
}

/** Resolvers and loaders as Mercurius has them: it batches by itself. */
export function mercuriusParts() {
  const own = resolvers()
  for (const type of Object.keys(batched)) {
    for (const field of Object.keys(batched[type])) delete own[type][field]
  }
  const loaders = map(batched, fields => map(fields, read => ({
    loader: async (queries, { viewer }) => {
      const first = queries[0].params.first
      if (queries.every(query => query.params.first === first)) {
        return read(queries.map(query => query.obj), queries[0].params, viewer)
      }
      return (await Promise.all(queries.map(query => read([query.obj], query.params, viewer)))).flat()
    },
    // Its cache makes a text of each thing to find it again; each is asked once.
    opts: { cache: false },
  })))
  return { resolvers: own, loaders }
}
