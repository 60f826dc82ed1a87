import pg from 'pg'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Database } from './database.ts'

/** SQLSTATE classes 22, 23 and 54: the statement's own data is at fault (wrong, or too much of it). */
export function isDataError(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error))
}

/** Somebody held a row for too long. What else was in the statement would have gone through. */
export function isHeldUp(error: unknown): boolean {
  return /^(55P03|57014)$/.test(sqlState(error))
}

/** The server is away, starting, stopping, full, read-only after a failover, refuses us, or took too long. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|25006|28|3D|40|53|55P03|57)/.test(sqlState(error))
  if (!(error instanceof Error) || error instanceof KodusError) return false
  // The socket's and TLS's own errors carry a code; those that pg makes itself only a message.
  return 'code' in error || /connection|timeout|not queryable/i.test(error.message)
}

/**
 * Awaits a store operation, and names an outage as what it is: no fault of the job that met it.
 *
 * @throws KodusError DATABASE_UNAVAILABLE, or what the operation threw for any other reason
 */
export async function namingOutages<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation
  } catch (cause) {
    if (!isDatabaseUnavailable(cause)) throw cause
    throw new KodusError('DATABASE_UNAVAILABLE', `PostgreSQL cannot be reached: ${messageOf(cause)}`, {
      help: 'Check that the server at DATABASE_URL runs and accepts connections, and the user, password and database in it.',
      retryability: 'transient',
      cause,
    })
  }
}

/** The database, naming its outages: for work that also asks others, whose failures are none of the store's. */
export function namingItsOutages(db: Database): Database {
  return { query: (sql, values) => namingOutages(db.query(sql, values)) }
}

function sqlState(error: unknown): string {
  return error instanceof pg.DatabaseError ? (error.code ?? '') : ''
}
