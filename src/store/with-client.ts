import type { PoolClient } from 'pg'
import type { DatabasePool } from './database.ts'

/** Does several things on one connection. One on which something failed is closed, not used again. */
export async function withClient<Result>(
  pool: DatabasePool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // A session that ends under a query rejects the query too; unheard, its event would end the process.
  client.on('error', ignore)
  let failure: Error | undefined
  try {
    return await work(client)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.off('error', ignore)
    client.release(failure)
  }
}

function ignore(): void {}
