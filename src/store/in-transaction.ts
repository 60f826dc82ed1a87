import type { Database, DatabasePool } from './database.ts'
import { withClient } from './with-client.ts'

/** Runs several statements as one: all of them are committed when `work` resolves, none when it throws. */
export function inTransaction<Result>(
  pool: DatabasePool,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  return withClient(pool, async (client) => {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  })
}
