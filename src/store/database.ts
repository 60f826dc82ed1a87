import pg from 'pg'
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
  /** PEM: the certificates to trust, as managed databases need (RDS: its regional bundle). */
  ca?: string | undefined
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
  // Nor one that ends while it is handed out: its query rejects. From the very chunk of bytes in which it connected,
  // when whoever asked for it could not listen yet.
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** What `pg` needs to reach the server, TLS included. */
function connectionConfig({ url, ca }: Pick<DatabaseOptions, 'url' | 'ca'>): pg.ClientConfig {
  if (!ca) return { connectionString: url }
  // pg lets an sslmode in the URL override the `ssl` object, and with it our CA: take it out.
  const address = new URL(url)
  address.searchParams.delete('sslmode')
  return { connectionString: address.href, ssl: { ca, rejectUnauthorized: true } }
}
