import { readdirSync, readFileSync } from 'node:fs'
import type pg from 'pg'

const directory = new URL('./migrations/', import.meta.url)

/** Any number that nobody else in this database uses as an advisory lock. */
const LOCK = 7_035_114_921

/**
 * Brings the schema up to this build's, once, however many processes start together: the lock is held by
 * the transaction that migrates, so it also works through a pooler. A newer schema is left alone.
 *
 * @returns the names of the migrations that this call ran
 */
export async function migrate(pool: pg.Pool): Promise<string[]> {
  const available = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  const before = await appliedMigrations(pool)
  if (available.every((name) => before.has(name))) return []

  const client = await pool.connect()
  // A session that ends under a query rejects the query too; unheard, its event would end the process.
  client.on('error', () => {})
  let failure: Error | undefined
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
    await client.query(`create table if not exists schema_migrations (
      name text primary key, applied_at timestamptz not null default now())`)
    // Never wait behind a long query while everybody else waits behind us.
    await client.query(`set local lock_timeout = '5s'`)
    const applied = await appliedMigrations(client)
    const missing = available.filter((name) => !applied.has(name))
    for (const name of missing) {
      await client.query(readFileSync(new URL(name, directory), 'utf8'))
      await client.query('insert into schema_migrations (name) values ($1)', [name])
    }
    await client.query('commit')
    return missing
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    // A client that failed is closed, not reused: its session may still be waiting for the lock.
    client.release(failure)
  }
}

async function appliedMigrations(db: pg.Pool | pg.PoolClient): Promise<Set<string>> {
  const { rows: tables } = await db.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!tables[0]?.exists) return new Set()
  const { rows } = await db.query<{ name: string }>('select name from schema_migrations')
  return new Set(rows.map((row) => row.name))
}
