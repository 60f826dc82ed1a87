import type { Database, DatabasePool } from './database.ts'
import { withClient } from './with-client.ts'

/** A process that freezes in between holds its locks no longer than this. */
const IDLE_MS = 3_000

/** Runs several statements as one: all of them are committed when `work` resolves, none when it throws. */
export function inTransaction<Result>(
  pool: DatabasePool,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  return withClient(pool, async (client) => {
    await client.query(`begin; set local idle_in_transaction_session_timeout = ${IDLE_MS}`)
    const result = await work(client)
    await client.query('commit')
    return result
  })
}
