import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { spawnComponent } from '../support/processes.ts'
import { get, startHandler } from './start-handler.ts'

const MANIFEST = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** What a handler that cannot start says, and how it ends. */
async function failToStart(t: TestContext, env: Record<string, string>) {
  const { exited, lines } = await spawnComponent(t, { type: 'webhook', env, untilReady: false })
  const { code } = await exited
  return { code, errors: lines.filter(({ level }) => level === 'error') }
}

test('/health tells which component, version and installation answers', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url, KODUS_INSTANCE_ID: 'mine' })
  assert.deepEqual((await get(`${handler.url}/health`)).body, {
    status: 'ok',
    component: 'webhook-handler',
    version: MANIFEST.version,
    instance: 'mine',
  })
})

test('a database counts for /ready once it is migrated', async (t) => {
  const { url, pool } = await createDatabase(t)
  await pool.query('drop schema public cascade; create schema public')
  const obstacle = await pool.connect()
  await obstacle.query('begin; create table schema_migrations (in_the_way int)')
  const handler = await startHandler(t, { DATABASE_URL: url })

  const early = await get(`${handler.url}/ready`)
  await obstacle.query('rollback')
  obstacle.release()
  assert.deepEqual([early.status, early.body.database], [503, 'migrating'])

  await handler.line(({ msg }) => msg === 'database schema brought up to date')
  let ready = await get(`${handler.url}/ready`)
  while (ready.status !== 200) ready = await get(`${handler.url}/ready`)
  assert.deepEqual(ready.body, { status: 'ready', database: 'up', broker: 'not configured' })
})

test('without DATABASE_URL it says in one line what to do, and exits with 1', async (t) => {
  const { code, errors } = await failToStart(t, {})
  assert.equal(code, 1)
  assert.deepEqual(
    errors.map((line) => line.code),
    ['CONFIG_MISSING'],
  )
  assert.match(`${errors[0]?.msg} ${errors[0]?.help}`, /DATABASE_URL is not set\. .*npm start/)
})

test('a port that is taken is said in one line, and it exits with 1', async (t) => {
  const { url } = await createDatabase(t)
  const { port } = await startHandler(t, { DATABASE_URL: url })
  const { code, errors } = await failToStart(t, {
    DATABASE_URL: url,
    WEBHOOK_HOST: '127.0.0.1',
    WEBHOOK_PORT: String(port),
  })
  assert.equal(code, 1)
  assert.deepEqual(
    errors.map((line) => line.code),
    ['LISTEN_FAILED'],
  )
  assert.match(String(errors[0]?.help), /WEBHOOK_PORT/)
})

for (const port of ['33x', '-1', '65536', '3332.5']) {
  test(`WEBHOOK_PORT=${port} is refused by name`, async (t) => {
    const { code, errors } = await failToStart(t, { DATABASE_URL: 'postgresql://x/x', WEBHOOK_PORT: port })
    assert.equal(code, 1)
    assert.match(String(errors[0]?.msg), /WEBHOOK_PORT/)
  })
}
