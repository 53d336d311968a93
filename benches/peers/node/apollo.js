// Apollo Server on Fastify, which is faster than its standalone server on Express. Parsed and validated documents are kept in
// its document store, as by default.
import { ApolloServer } from '@apollo/server'
import fastifyApollo from '@as-integrations/fastify'
import fastify from 'fastify'
import { resolvers, typeDefs } from './schema.js'
import { authenticate } from './viewer.js'

/** What was looked at is written before the answer leaves. */
const looks = {
  requestDidStart: async () => ({ willSendResponse: ({ contextValue }) => contextValue.viewer.writeLooks() }),
}

export async function serve(port) {
  const apollo = new ApolloServer({
    typeDefs,
    resolvers: resolvers(),
    plugins: [looks],
    introspection: false,
    csrfPrevention: false,
    stopOnTerminationSignals: false,
    includeStacktraceInErrorResponses: false,
    cache: 'bounded',
  })
  await apollo.start()
  const app = fastify({ logger: false })
  await app.register(fastifyApollo(apollo), {
    path: '/graphql',
    context: async request => ({ viewer: await authenticate(request.headers.authorization) }),
  })
  await app.listen({ port, host: '127.0.0.1' })
}
