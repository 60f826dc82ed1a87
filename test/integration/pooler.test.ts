import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { createIngestDatabase } from '../../src/webhook-handler/ingest-database.ts'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'
import { skipWithoutPgbouncer, startPgbouncer } from '../support/pgbouncer.ts'
import { spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'
import { gitBody, postGit, SECRETS, startHandler } from '../webhook-handler/start-handler.ts'

const SKIP = { skip: skipWithoutPgbouncer }
const DEADLINE_MS = 30_000

/** As many as a pooler that hands connections around does not get through without a mistake. */
const ROUNDS = 50

test(
  'through a pooler that keeps sessions, everything works from the empty database to the review',
  SKIP,
  async (t) => {
    const { url, pool } = await createDatabase(t)
    await pool.query('drop schema public cascade; create schema public')
    const repository = makeRepository(t, { base: { 'a.py': 'x = 0\n' }, head: { 'a.py': 'x = 1\n' } })
    const { root, path, base, head } = repository
    const DATABASE_URL = await startPgbouncer(t, url, 'session')
    const env = { DATABASE_URL, GIT_REPOSITORY_ROOTS: root, ...SECRETS }
    const handlers = await Promise.all([startHandler(t, env), startHandler(t, env)])
    const worker = await spawnComponent(t, { type: 'worker', env })
    for (const handler of handlers) {
      while ((await fetch(`${handler.url}/ready`)).status !== 200) await sleep(50)
    }

    const body = gitBody({ repository: path, base, head })
    const statuses = new Set<number>()
    for (let round = 0; round < ROUNDS; round += 1) {
      const sent = handlers.flatMap((handler) => [postGit(handler, body), postGit(handler), postGit(handler)])
      for (const { status } of await Promise.all(sent)) statuses.add(status)
    }
    assert.deepEqual([...statuses], [202])
    const reviewed = `select from workflow_jobs j join reviews r on r.job_id = j.id where status = 'COMPLETED'`
    while ((await pool.query(reviewed)).rowCount !== 1) await sleep(50)

    const { stdout } = await kodus(['doctor'], { DATABASE_URL })
    assert.match(stdout, /✓ database +PostgreSQL/)
    for (const component of [...handlers, worker]) {
      assert.deepEqual(await component.stop(), { code: 0, signal: null })
    }
  },
)

test('a pooler that hands connections around is named by doctor, with what to do', SKIP, async (t) => {
  const { url } = await createDatabase(t)
  const DATABASE_URL = await startPgbouncer(t, url, 'transaction')
  const { code, stdout } = await kodus(['doctor'], { DATABASE_URL })
  assert.equal(code, 1)
  assert.match(stdout, /✗ database +DATABASE_POOLED: .*\n.*pool_mode = session/)
})

test(
  'it is also named to whoever writes webhooks through it, instead of a statement with a strange name',
  SKIP,
  async (t) => {
    const { url } = await createDatabase(t)
    const pooled = await startPgbouncer(t, url, 'transaction')
    const [first, second] = [openIngest(t, pooled), openIngest(t, pooled)]
    await first.query('select 1')
    await assert.rejects(
      second.query('select 1'),
      (error) =>
        error instanceof KodusError && error.code === 'DATABASE_POOLED' && /session/.test(error.help),
    )
  },
)

/** The database as one webhook handler uses it. */
function openIngest(t: TestContext, url: string) {
  const pool = openDatabase({ url, component: 'test', maxConnections: 1, log: silentLog })
  t.after(() => pool.end())
  return createIngestDatabase(pool, DEADLINE_MS)
}
