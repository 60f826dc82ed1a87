import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pg from 'pg'
import { KodusError } from '../../src/lib/errors.ts'
import { migrate } from '../../src/store/migrate.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { untilSomebodyWaits } from './transactions.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const LOCK = 7_035_114_921
/** Longer than a webhook's insert may take, by what a busy machine adds. */
const WEBHOOK_DEADLINE_MS = 3_000

test('migrations run once when twenty processes start together', { timeout: 60_000 }, async (t) => {
  const { pool, url } = await createDatabase(t)
  await empty(pool)

  const starting = Array.from({ length: 20 }, () => startMigrating(t, url))
  const ran = await Promise.all(starting.map(async (process) => (await outcomeOf(process)).ran))

  assert.equal(ran.filter((names) => names?.length > 0).length, 1, JSON.stringify(ran))
  assert.equal(ran.filter((names) => names?.length === 0).length, 19)
  assert.deepEqual(await migrate(pool), [])
})

test('a schema newer than this build is left alone', async (t) => {
  const { pool } = await createDatabase(t)
  await pool.query(`insert into schema_migrations (name) values ('9999-from-the-future.sql')`)
  assert.deepEqual(await migrate(pool), [])
})

test('a session that ends while it waits for the migration lock fails the call, not the process', async (t) => {
  const { pool, url } = await createDatabase(t)
  await pool.query('delete from schema_migrations')
  const holder = await pool.connect()
  t.after(() => holder.release())
  await holder.query('select pg_advisory_lock($1)', [LOCK])
  const starter = new pg.Pool({ connectionString: url, max: 1, application_name: 'starter' })
  t.after(() => starter.end())
  starter.on('error', () => {})
  const migrating = migrate(starter).then(
    () => 'migrated',
    (error: Error) => error.message,
  )
  for (let ended = 0; ended === 0; ) {
    const { rowCount } = await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'starter' and wait_event = 'advisory'`,
    )
    ended = rowCount ?? 0
  }
  assert.match(await migrating, /terminat/)
  await holder.query('select pg_advisory_unlock($1)', [LOCK])
})

test('a process that freezes while it migrates loses its turn, keeps nothing, and says why', {
  timeout: 60_000,
}, async (t) => {
  const { pool, url } = await createDatabase(t)
  await empty(pool)
  const frozen = startMigrating(t, url, { stopBefore: 'commit' })
  await once(frozen, 'reached')
  frozen.kill('SIGSTOP')

  const [ran, none] = await Promise.all([migrate(pool), outcomeOf(startMigrating(t, url))])

  assert.equal(ran.length + none.ran.length > 0 && ran.length * none.ran.length === 0, true)
  frozen.kill('SIGCONT')
  assert.match((await outcomeOf(frozen)).error, /terminat|idle-in-transaction|connection error/)
})

test('deliveries are taken while a migration waits for a table, and it runs once the table is free', {
  timeout: 60_000,
}, async (t) => {
  const { pool, url } = await createDatabase(t)
  const directory = withMigration(t, '9000.sql', 'alter table workflow_jobs add column later text;')
  const reader = await pool.connect()
  t.after(() => reader.release(true))
  await reader.query('begin')
  await reader.query('select count(*) from workflow_jobs')
  const migrating = new pg.Pool({ connectionString: url, max: 1 })
  t.after(() => migrating.end())

  const migrated = migrate(migrating, { directory })
  let isPending = true
  void migrated.finally(() => (isPending = false))
  const ingest = new pg.Pool({ connectionString: url, max: 1, query_timeout: WEBHOOK_DEADLINE_MS })
  t.after(() => ingest.end())
  for (let waits = 0; waits < 3; waits += 1) {
    await untilSomebodyWaits(pool)
    const deliveries = [aDelivery(), aDelivery()]
    await recordDeliveries(ingest, deliveries, 0)
    await recordDeliveries(ingest, [aDelivery()], 0)
  }
  assert.equal(isPending, true)
  await reader.query('commit')

  assert.deepEqual(await migrated, ['9000.sql'])
  await pool.query('select later from workflow_jobs')
})

test('a migration that fails leaves nothing of itself or of those before it, and is named', async (t) => {
  const { pool } = await createDatabase(t)
  const directory = withMigration(t, '9000.sql', 'create table good (id int);')
  writeFileSync(new URL('9001.sql', directory), 'create table half (id int); alter table nowhere add x int;')

  await assert.rejects(migrate(pool, { directory }), (error) => {
    assert.ok(error instanceof KodusError)
    assert.equal(error.code, 'MIGRATION_FAILED')
    assert.match(error.message, /9001\.sql failed: relation "nowhere" does not exist/)
    assert.match(error.help, /Nothing of it was kept/)
    return true
  })

  const { rows } = await pool.query(
    `select to_regclass('good') as good, to_regclass('half') as half,
            (select count(*)::int from schema_migrations where name like '900%') as noted`,
  )
  assert.deepEqual(rows, [{ good: null, half: null, noted: 0 }])
  writeFileSync(new URL('9001.sql', directory), 'create table half (id int);')
  assert.deepEqual(await migrate(pool, { directory }), ['9000.sql', '9001.sql'])
})

test('waiting for a table ends when the process is asked to stop', async (t) => {
  const { pool, url } = await createDatabase(t)
  const directory = withMigration(t, '9000.sql', 'alter table workflow_jobs add column later text;')
  const reader = await pool.connect()
  t.after(() => reader.release(true))
  await reader.query('begin')
  await reader.query('select count(*) from workflow_jobs')
  const starter = new pg.Pool({ connectionString: url, max: 1 })
  t.after(() => starter.end())
  const stopping = new AbortController()
  const migrating = migrate(starter, { directory, signal: stopping.signal })
  await untilSomebodyWaits(pool)

  stopping.abort()

  await assert.rejects(migrating, { name: 'AbortError' })
  await reader.query('commit')
})

async function empty(pool: pg.Pool): Promise<void> {
  await pool.query('drop schema public cascade')
  await pool.query('create schema public')
}

/** This build's migrations and one more. */
function withMigration(t: TestContext, name: string, sql: string): URL {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-migrations-'))
  t.after(() => rmSync(directory, { recursive: true }))
  cpSync(path.join(ROOT, 'src/store/migrations'), directory, { recursive: true })
  writeFileSync(path.join(directory, name), sql)
  return pathToFileURL(`${directory}/`)
}

/** A process that migrates, and tells of it; it may stop before a statement, for as long as it lives. */
function startMigrating(
  t: TestContext,
  url: string,
  { stopBefore = '' }: { stopBefore?: string } = {},
): ChildProcess {
  const program = `
    import pg from 'pg'
    import { migrate } from './src/store/migrate.ts'
    const pool = new pg.Pool({ connectionString: ${JSON.stringify(url)}, max: 1 })
    pool.on('error', () => {})
    const connect = pool.connect.bind(pool)
    pool.connect = async (...args) => {
      const client = await connect(...args)
      const query = client?.query.bind(client)
      if (client) client.query = async (sql, ...rest) => {
        if (sql === ${JSON.stringify(stopBefore)}) {
          process.send('reached')
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
        return query(sql, ...rest)
      }
      return client
    }
    const outcome = await migrate(pool).then((ran) => ({ ran }), (error) => ({ error: String(error) }))
    console.log(JSON.stringify(outcome))
    process.exit()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  child.on('message', (message) => child.emit(String(message)))
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function outcomeOf(child: ChildProcess): Promise<{ ran: string[]; error: string }> {
  assert.ok(child.stdout)
  for await (const line of createInterface(child.stdout)) return JSON.parse(line)
  throw new Error('the process said nothing')
}
