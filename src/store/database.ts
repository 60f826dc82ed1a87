import { readFileSync } from 'node:fs'
import pg from 'pg'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'

/** The part of a pool or a client that an SQL operation needs. */
export interface Database {
  query<Row extends pg.QueryResultRow>(
    sql: string,
    values?: unknown[],
  ): Promise<{ rows: Row[]; rowCount: number | null }>
}

export type DatabasePool = pg.Pool

export interface DatabaseOptions {
  /** `postgresql://…`; an `sslmode` in it is honoured as libpq does, `verify-full` being the safe one. */
  url: string
  /** PEM file with the certificates to trust, as managed databases need (RDS: its regional bundle). */
  caFile?: string | undefined
  /** Shown in `pg_stat_activity`. */
  component: string
  maxConnections: number
  /** Milliseconds after which a query is given up on this side, whatever the network does. */
  queryTimeoutMs?: number
  log: Log
}

/** Opens a pool; connects on first use, so that a database that is away does not stop anybody's start. */
export function openDatabase(options: DatabaseOptions): DatabasePool {
  const pool = new pg.Pool({
    ...connectionConfig(options),
    application_name: `kodus ${options.component}`,
    max: options.maxConnections,
    connectionTimeoutMillis: Math.min(options.queryTimeoutMs ?? 5_000, 5_000),
    query_timeout: options.queryTimeoutMs ?? 30_000,
    keepAlive: true,
  })
  // Without a listener, an idle connection that the server closes would end the process.
  pool.on('error', (error) => options.log.warn(`database connection lost: ${error.message}`))
  return pool
}

/** What `pg` needs to reach the server, TLS included. */
export function connectionConfig({ url, caFile }: Pick<DatabaseOptions, 'url' | 'caFile'>): pg.ClientConfig {
  if (!caFile) return { connectionString: url }
  let ca: string
  try {
    ca = readFileSync(caFile, 'utf8')
  } catch (cause) {
    throw new KodusError(
      'DATABASE_CA_UNREADABLE',
      `The CA file ${caFile} cannot be read: ${messageOf(cause)}`,
      {
        help: 'Set DATABASE_CA_FILE to a PEM file this process may read, or unset it.',
        cause,
      },
    )
  }
  // pg lets an sslmode in the URL override the `ssl` object, and with it our CA: take it out.
  const address = new URL(url)
  address.searchParams.delete('sslmode')
  return { connectionString: address.href, ssl: { ca, rejectUnauthorized: true } }
}

/** SQLSTATE classes 22, 23 and 54: the statement's own data is at fault (wrong, or too much of it). */
export function isDataError(error: unknown): boolean {
  return /^(22|23|54)/.test(sqlState(error))
}

/** The server is away, starting, stopping, full, or did not answer in time. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|53|57P)/.test(sqlState(error))
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
      help: 'Check that the server at DATABASE_URL runs and accepts connections.',
      retryability: 'transient',
      cause,
    })
  }
}

function sqlState(error: unknown): string {
  return error instanceof pg.DatabaseError ? (error.code ?? '') : ''
}
