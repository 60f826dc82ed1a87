import type { Database } from '../store/database.ts'
import { isDatabaseUnavailable } from '../store/outages.ts'
import { HttpError } from './http-error.ts'

const RETRY_AFTER_SECONDS = 5

/**
 * SQLSTATEs of a server that is there but not ready for us: it refuses the login (28…), the database (3D000)
 * or its tables (42P01) do not exist yet, since this process answers while the first migration still waits.
 */
const NOT_READY = /^(28|3D000$|42P01$)/

/**
 * The same database, whose absence is a 503 that says when to come back. Anything else that a query throws
 * is a defect of ours and stays one.
 */
export function reachableDatabase(db: Database): Database {
  return {
    query: async (sql, values) => {
      try {
        return await db.query(sql, values)
      } catch (cause) {
        if (!isDatabaseUnavailable(cause) && !isNotReady(cause)) throw cause
        throw new HttpError(503, 'DATABASE_UNAVAILABLE', 'The database does not answer.', {
          help: `Nothing is lost. Try again in ${RETRY_AFTER_SECONDS} seconds.`,
          headers: { 'retry-after': String(RETRY_AFTER_SECONDS) },
          cause,
        })
      }
    },
  }
}

function isNotReady(error: unknown): boolean {
  return error instanceof Error && 'code' in error && NOT_READY.test(String(error.code))
}
