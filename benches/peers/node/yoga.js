// GraphQL Yoga on Node's own HTTP server. Parsed and validated documents are kept, as it does by default.
import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { resolvers, typeDefs } from './schema.js'
import { authenticate } from './viewer.js'

/** What was looked at is written before the answer leaves. */
const looks = {
  onExecute: () => ({ onExecuteDone: ({ args }) => args.contextValue.viewer.writeLooks() }),
}

export async function serve(port) {
  const yoga = createYoga({
    schema: createSchema({ typeDefs, resolvers: resolvers() }),
    context: async ({ request }) => ({ viewer: await authenticate(request.headers.get('authorization') ?? undefined) }),
    plugins: [looks],
    graphiql: false,
    landingPage: false,
    logging: false,
    cors: false,
    multipart: false,
  })
  const server = createServer(yoga)
  server.keepAliveTimeout = 120_000
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
}
