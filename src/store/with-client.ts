import type { PoolClient } from 'pg'
import type { DatabasePool } from './database.ts'

/** Does several things on one connection. One on which something failed is closed, not used again. */
export async function withClient<Result>(
  pool: DatabasePool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    return await work(client)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.release(failure)
  }
}
