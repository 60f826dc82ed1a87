import { createHash } from 'node:crypto'
import pg, { type PoolClient } from 'pg'
import type { Database, DatabasePool } from '../store/database.ts'
import { databasePooled } from '../store/shares-backends.ts'
import { withClient } from '../store/with-client.ts'

/** Whoever holds a row for longer holds up its own webhooks alone, not those that share the statement. */
const LOCK_TIMEOUT_MS = 200

/**
 * The database as webhooks are written to it: few statements, thousands of times a second, each in vain after its
 * deadline.
 *
 * A statement is prepared once a connection instead of once a call: a fifth of PostgreSQL's work for a full batch, more
 * than half for a single row [measured]. After its deadline it is given up on the server too: else those that wait for
 * a lock would pile up there, connection upon connection.
 */
export function createIngestDatabase(pool: DatabasePool, deadlineMs: number): Database {
  const names = new Map<string, string>()
  const nameOf = (text: string) => {
    const name = names.get(text) ?? createHash('sha1').update(text).digest('hex')
    names.set(text, name)
    return name
  }
  const limited = new WeakSet<PoolClient>()
  const limit = async (client: PoolClient) => {
    if (limited.has(client)) return
    await client.query(`set statement_timeout = ${deadlineMs}; set lock_timeout = ${LOCK_TIMEOUT_MS}`)
    limited.add(client)
  }

  return {
    query: (text, values = []) =>
      withClient(pool, async (client) => {
        await limit(client)
        return client.query({ name: nameOf(text), text, values })
      }).catch((error: unknown) => {
        throw isPreparedElsewhere(error) ? databasePooled(error) : error
      }),
  }
}

/** SQLSTATE: a statement of that name is not there, or already is, on a connection that nobody else should have. */
function isPreparedElsewhere(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(26000|42P05)$/.test(error.code ?? '')
}
