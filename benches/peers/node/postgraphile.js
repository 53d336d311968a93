// PostGraphile on the views of postgraphile.sql. It has the catalogue and the forums only.
import { createServer } from 'node:http'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { postgraphile } from 'postgraphile'
import { pool } from './pool.js'
import { authenticate } from './viewer.js'

/** Fields are called as the views call them. */
const names = {
  name: 'StoaNamesPlugin',
  version: '0.0.0',
  inflection: {
    replace: {
      _attributeName(previous, _, details) {
        return previous.call(this, { ...details, skipRowId: true })
      },
      // A smart tag would give the function the view's name.
      customQueryField(previous, _, details) {
        const name = previous.call(this, details)
        return name === 'courseBySlug' ? 'course' : name
      },
      listField: (_previous, _, name) => name,
    },
  },
}

/** What the views go by. */
async function settings(header) {
  const viewer = await authenticate(header)
  return {
    'peers.viewer': viewer.id ?? '',
    'peers.takes': `{${[...viewer.takes].join(',')}}`,
    'peers.teaches': `{${[...viewer.teaches].join(',')}}`,
    'peers.kept_since': String(viewer.keptSince),
  }
}

export async function serve(port) {
  const preset = {
    extends: [PostGraphileAmberPreset],
    plugins: [names],
    disablePlugins: ['NodePlugin', 'AddNodeInterfaceToSuitableTypesPlugin', 'NodeAccessorPlugin', 'PgMutationCreatePlugin',
      'PgMutationUpdateDeletePlugin', 'PgOrderAllAttributesPlugin', 'PgConditionArgumentPlugin'],
    pgServices: [makePgService({ pool, schemas: ['peers_graph'] })],
    grafast: {
      explain: false,
      context: async ({ node }) => ({ pgSettings: await settings(node?.req.headers.authorization) }),
    },
    grafserv: { graphqlPath: '/graphql', graphiql: false, graphqlOverGET: false, websockets: false, watch: false },
  }
  const server = createServer()
  server.keepAliveTimeout = 120_000
  await postgraphile(preset).createServ(grafserv).addTo(server)
  await new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
}
