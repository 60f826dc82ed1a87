import { KodusError } from '../lib/errors.ts'
import type { DatabasePool } from './database.ts'
import { withClient } from './with-client.ts'

const ROUNDS = 5

/**
 * Whether a pooler hands one backend of PostgreSQL to several connections, as between two transactions: of two that
 * are open at the same time, each has a backend of its own otherwise, and keeps it.
 *
 * @param pool has room for two connections
 */
export function sharesBackends(pool: DatabasePool): Promise<boolean> {
  return withClient(pool, (one) =>
    withClient(pool, async (other) => {
      const seen = new Map([one, other].map((client) => [client, new Set<number>()]))
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [client, pids] of seen) {
          const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
          for (const { pid } of rows) pids.add(pid)
        }
      }
      const ownBackends = [...seen.values()].every((pids) => pids.size === 1)
      return !ownBackends || new Set([...seen.values()].flatMap((pids) => [...pids])).size === 1
    }),
  )
}

/** What statements that were prepared on a connection fail with when that is several. */
export function databasePooled(cause?: unknown): KodusError {
  return new KodusError(
    'DATABASE_POOLED',
    'DATABASE_URL leads to a pooler that hands connections of PostgreSQL around between transactions.',
    {
      help: 'Set pool_mode = session for this database (PgBouncer), or let DATABASE_URL name the server itself: prepared statements, time limits and notifications belong to a session.',
      retryability: 'transient',
      cause,
    },
  )
}
