import type { Database, DatabasePool } from './database.ts'

/** Runs several statements as one: all of them are committed when `work` resolves, none when it throws. */
export async function inTransaction<Result>(
  pool: DatabasePool,
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // A session that ends under a query rejects the query too; unheard, its event would end the process.
  client.on('error', ignore)
  let failure: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.off('error', ignore)
    // A client that failed is closed, not reused: its transaction may still be open.
    client.release(failure)
  }
}

function ignore(): void {}
