import type { Database, DatabasePool } from './database.ts'
import { withClient } from './with-client.ts'

/** Runs several statements for what they would do: none of them is committed. */
export function rolledBack<Result>(
  pool: DatabasePool,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  return withClient(pool, async (client) => {
    await client.query('begin')
    const result = await work(client)
    await client.query('rollback')
    return result
  })
}
