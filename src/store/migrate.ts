import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { KodusError, messageOf } from '../lib/errors.ts'
import { isDatabaseUnavailable } from './outages.ts'

const MIGRATIONS = new URL('./migrations/', import.meta.url)

/** Any number that nobody else in this database uses as an advisory lock. */
const LOCK = 7_035_114_921

/**
 * How long a statement may wait for a table: everybody who comes after it waits behind it, and a webhook has 1.5 s.
 */
const TABLE_WAIT_MS = 300
/** Between two tries at a table that others hold, so that they get far more of it than we. */
const PAUSE_MS = 1_500
const TRIES = 10

/** A process that froze while it migrated is cut off, and what it did undone; the next one waits for that. */
const FROZEN_AFTER_MS = 5_000
const TURN_WITHIN_MS = 10_000
/** Of one migration: no pool's usual limit, which is meant for small queries. */
const STATEMENT_MS = 10 * 60_000

export interface MigrateOptions {
  /** Where the migrations are, if not this build's own. */
  directory?: URL
  /** Ends the waiting for a table that others hold. */
  signal?: AbortSignal
}

interface Migration {
  name: string
  sql: string
}

/**
 * Brings the schema up to this build's, once, however many processes start together: the lock is held by
 * the transaction that migrates, so it also works through a pooler. All that is missing is applied, or nothing.
 * A newer schema is left alone.
 *
 * @returns the names of the migrations that this call ran
 * @throws KodusError SCHEMA_LOCKED (transient) when another process migrates, or others hold a table, for long;
 * MIGRATION_FAILED (permanent) when the database refuses a migration; or the error of an outage
 */
export async function migrate(pool: pg.Pool, options: MigrateOptions = {}): Promise<string[]> {
  const { directory = MIGRATIONS, signal } = options
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
    await client.query(`set local idle_in_transaction_session_timeout = ${FROZEN_AFTER_MS}`)
    await client.query(`set local statement_timeout = ${STATEMENT_MS}`)
    await takeTurn(client)
    await client.query(`set local lock_timeout = ${TABLE_WAIT_MS}`)
    await client.query(`create table if not exists schema_migrations (
      name text primary key, applied_at timestamptz not null default now())`)
    const applied = await appliedMigrations(client)
    const missing = available.filter((name) => !applied.has(name))
    const migrations = missing.map((name) => ({ name, sql: readFileSync(new URL(name, directory), 'utf8') }))
    await applyAll(client, migrations, signal)
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

async function takeTurn(client: pg.PoolClient): Promise<void> {
  await client.query(`set local lock_timeout = ${TURN_WITHIN_MS}`)
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
  } catch (cause) {
    if (!isLockTimeout(cause)) throw cause
    throw schemaLocked(`another process has been at it for ${TURN_WITHIN_MS / 1000} s`, cause)
  }
}

/**
 * While others hold a table, it lets go of those that it has got, waits, and begins again, all that time the only
 * process that does.
 */
async function applyAll(
  client: pg.PoolClient,
  migrations: readonly Migration[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await client.query('savepoint untouched')
    try {
      for (const migration of migrations) await apply(client, migration)
      return
    } catch (error) {
      if (!isLockTimeout(error)) throw error
      if (tries === TRIES) throw schemaLocked('others have held a table that it needs all the time', error)
    }
    await client.query('rollback to untouched')
    await sleep(PAUSE_MS, undefined, { signal })
  }
}

async function apply(client: pg.PoolClient, { name, sql }: Migration): Promise<void> {
  try {
    const statements = { text: sql, query_timeout: STATEMENT_MS }
    await client.query(statements)
    await client.query('insert into schema_migrations (name) values ($1)', [name])
  } catch (cause) {
    if (isLockTimeout(cause) || isDatabaseUnavailable(cause)) throw cause
    throw new KodusError('MIGRATION_FAILED', `The migration ${name} failed: ${messageOf(cause)}`, {
      help: 'Nothing of it was kept: the schema is as it was. Put right what the message names, or go back to the version before, which still works.',
      cause,
    })
  }
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '55P03'
}

function schemaLocked(reason: string, cause: unknown): KodusError {
  return new KodusError('SCHEMA_LOCKED', `The database schema cannot be brought up to date yet: ${reason}.`, {
    help: 'It is tried again. If it stays so, look in pg_stat_activity for a transaction that began long ago (xact_start), and end it.',
    retryability: 'transient',
    cause,
  })
}

async function appliedMigrations(db: pg.Pool | pg.PoolClient): Promise<Set<string>> {
  const { rows: tables } = await db.query<{ exists: boolean }>(
    `select to_regclass('schema_migrations') is not null as exists`,
  )
  if (!tables[0]?.exists) return new Set()
  const { rows } = await db.query<{ name: string }>('select name from schema_migrations')
  return new Set(rows.map((row) => row.name))
}
