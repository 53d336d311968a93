// Connections to PostgreSQL, and statements that are prepared once on each of them.
import pg from 'pg'

// Counts and microseconds stay below 2^53, so numbers hold them.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

export const pool = new pg.Pool({
  connectionString: process.env.PEERS_DATABASE_URL,
  max: Number(process.env.PEERS_POOL ?? 4),
  min: Number(process.env.PEERS_POOL ?? 4),
  idleTimeoutMillis: 0,
})

let made = 0

/** A statement with a name: each connection parses and plans it once. */
export function statement(text) {
  const name = `s${++made}`
  return async (...values) => (await pool.query({ name, text, values })).rows
}
