import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { silentLog } from '../../src/lib/log.ts'
import { ensureTemplate, SERVER_SETTINGS, urlOfDatabase } from './template-database.ts'

export interface TestDatabase {
  url: string
  pool: pg.Pool
}

interface TestServer {
  url: string
  admin: pg.Pool
  template: string
  stop(): Promise<void>
}

/** A backend outlives its connection by milliseconds; a component that is being stopped, by more. */
const LEAK_GRACE_MS = 5_000

const shared = process.env.KODUS_TEST_DATABASE_URL
let server: Promise<TestServer> | undefined

after(async () => {
  const running = await server?.catch(() => undefined)
  await running?.stop()
})

/**
 * A migrated database of its own for one test. It is dropped after the test's other hooks have run, and the
 * test fails if connections to it are then still open. If the test fails, the database of a shared server
 * (`KODUS_TEST_DATABASE_URL`) is kept, and its name printed. Without one, a server is started for the file.
 */
export async function createDatabase(t: TestContext): Promise<TestDatabase> {
  server ??= openServer()
  const { url: serverUrl, admin, template } = await server
  const name = `test_${randomBytes(6).toString('hex')}`
  await admin.query(`create database ${name} template ${template}`)
  const url = urlOfDatabase(serverUrl, name)
  const pool = new pg.Pool({ connectionString: url, application_name: 'test', max: 5 })
  // As `openDatabase` does: a session that a test ends must end nothing else.
  pool.on('connect', (client) => client.on('error', () => {}))
  pool.on('error', () => {}) // A test may cut connections; the query that fails says it.

  // Hooks run in the order of registration, and whoever uses the database registers theirs later.
  t.after(() => t.after(() => dispose(t, { admin, name, pool })))
  return { url, pool }
}

async function openServer(): Promise<TestServer> {
  const own = shared === undefined ? await startOwnServer() : undefined
  const url = shared ?? own?.url ?? ''
  const admin = new pg.Pool({ connectionString: url, max: 2, allowExitOnIdle: true })
  admin.on('error', () => {})
  // A file that is interrupted runs no hooks.
  if (own) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abandon(own))
  const stop = async () => {
    await admin.end()
    await own?.stop()
    if (own) rmSync(own.directory, { recursive: true, force: true })
  }
  try {
    return { url, admin, template: await ensureTemplate(url), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function startOwnServer(): Promise<EmbeddedPostgres> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-test-'))
  return startEmbeddedPostgres({ directory, settings: SERVER_SETTINGS, log: silentLog })
}

async function abandon(own: EmbeddedPostgres): Promise<never> {
  await own.stop()
  rmSync(own.directory, { recursive: true, force: true })
  process.exit(1)
}

async function dispose(
  t: TestContext,
  { admin, name, pool }: { admin: pg.Pool; name: string; pool: pg.Pool },
) {
  const { passed } = t as TestContext & { passed: boolean } // Missing from @types/node 24.
  const unreleased = pool.totalCount - pool.idleCount
  const closed = pool.end()
  if (unreleased === 0) await closed // It would wait for the others for ever.

  const open = await openConnections(admin, name)
  if (!passed && shared !== undefined) {
    console.error(`The database of the failed test "${t.fullName}" is kept: ${name}`)
  } else {
    await admin.query(`drop database ${name} with (force)`)
  }
  if (passed && open.length > 0) {
    throw new Error(`the test left connections to its database open:\n${open.join('\n')}`)
  }
}

async function openConnections(admin: pg.Pool, name: string): Promise<string[]> {
  const deadline = Date.now() + LEAK_GRACE_MS
  for (;;) {
    const { rows } = await admin.query<{ connection: string }>(
      `select format('%s, %s: %s', application_name, state, query) as connection from pg_stat_activity
       where datname = $1 and backend_type = 'client backend'`,
      [name],
    )
    if (rows.length === 0 || Date.now() > deadline) return rows.map((row) => row.connection)
    await sleep(20)
  }
}
