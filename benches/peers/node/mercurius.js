// Mercurius with its JIT, on Fastify.
import fastify from 'fastify'
import mercurius from 'mercurius'
import { mercuriusParts, typeDefs } from './schema.js'
import { authenticate } from './viewer.js'

export async function serve(port) {
  const app = fastify({ logger: false })
  app.register(mercurius, {
    schema: typeDefs,
    ...mercuriusParts(),
    jit: 1,
    graphiql: false,
    context: async request => ({ viewer: await authenticate(request.headers.authorization) }),
  })
  await app.ready()
  app.graphql.addHook('onResolution', (_, { viewer }) => viewer.writeLooks())
  await app.listen({ port, host: '127.0.0.1' })
}
