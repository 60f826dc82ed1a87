import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import amqp from 'amqplib'
import { checkDatabase } from '../../src/cli/doctor/check-database.ts'
import { checkQueue } from '../../src/cli/doctor/check-queue.ts'
import { checkSettings } from '../../src/cli/doctor/check-settings.ts'
import { checkStops } from '../../src/cli/doctor/check-stops.ts'
import { JOBS_QUEUE } from '../../src/jobs/topology.ts'
import { putStop } from '../../src/store/put-stop.ts'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'
import { answers, fails, startLlmServer } from '../support/llm-server.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'

test('a good installation has nothing to repair', async (t) => {
  const { url } = await createDatabase(t)
  const llm = await startLlmServer(answers({ ok: true }))
  t.after(() => llm.close())
  const { code, stdout } = await kodus(['doctor'], {
    DATABASE_URL: url,
    LLM_BASE_URL: llm.baseUrl,
    LLM_MODEL: 'fake',
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /✓ database +PostgreSQL 18/)
  assert.match(stdout, /✓ model/)
  assert.match(stdout, /Nothing to do/)
  assert.match(stdout, /✓ settings/)
})

test('what is broken is named, each with what to do, and the exit code is 1', async (t) => {
  const llm = await startLlmServer(fails(401, { message: 'no' }))
  t.after(() => llm.close())
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-doctor-'))
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(path.join(directory, 'env'), 'X=1\n')
  chmodSync(path.join(directory, 'env'), 0o644)
  const { code, stdout } = await kodus(['doctor'], {
    DATABASE_URL: 'postgresql://127.0.0.1:1/none',
    RABBITMQ_URL: 'amqp://127.0.0.1:1',
    LLM_BASE_URL: llm.baseUrl,
    LLM_MODEL: 'fake',
    LLM_API_KEY: 'sk-of-this-test',
    KODUS_DIRECTORY: directory,
  })
  assert.equal(code, 1)
  for (const part of [
    'DATABASE_UNAVAILABLE',
    'QUEUE_UNAVAILABLE',
    'MODEL_UNAUTHORIZED',
    'SECRETS_READABLE',
    '4 to repair',
  ]) {
    assert.ok(stdout.includes(part), `${part}:\n${stdout}`)
  }
  assert.equal(stdout.includes('sk-of-this-test'), false)
})

test('settings that would keep a component from starting are named, whichever component reads them', async () => {
  const check = (env: Record<string, string>) => checkSettings({ ...process.env, ...env }, '/nowhere')
  assert.equal((await check({})).state, 'ok')
  for (const [name, value] of [
    ['WORKER_SLOTS', 'abc'],
    ['METRICS_TOKEN', 'short'],
    ['LOG_LEVEL', 'loud'],
    ['API_PORT', '99999'],
    ['WEBHOOK_DRAIN_SECONDS', '-1'],
  ] as const) {
    await assert.rejects(check({ [name]: value }), {
      code: 'CONFIG_INVALID',
      message: new RegExp(`^${name} is [^.]*\\.$`),
      help: new RegExp(`^Set ${name} to [^.]*\\.?$`),
    })
  }
  await assert.rejects(check({ WORKER_SLOTS: 'abc', API_PORT: 'x' }), { message: /API_PORT.*WORKER_SLOTS/ })
})

test('what is stopped is said, with who stopped it and what resumes it, and is nothing to repair', async (t) => {
  const { pool, url } = await createDatabase(t)
  const check = () => checkStops({ DATABASE_URL: url }, '/nowhere')
  assert.deepEqual(await check(), { state: 'ok', says: 'nothing is stopped' })
  await putStop(pool, { name: 'claiming', reason: 'upgrade', actor: 'mona' })
  assert.match(
    (await check()).says,
    /^claiming is stopped since \S+ \S+ by mona: upgrade \(kodus jobs resume\)$/,
  )
  const { code, stdout } = await kodus(['doctor'], { DATABASE_URL: url })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^! stops +claiming is stopped/m)
  assert.match(stdout, /\n1 to know of\.\n$/)
})

test('a user, a password or a database that the server does not know is said to be looked for in the address', async (t) => {
  const { url } = await createDatabase(t)
  for (const part of ['username', 'password', 'pathname'] as const) {
    const wrong = new URL(url)
    wrong[part] = 'not-this-one'
    await assert.rejects(checkDatabase({ DATABASE_URL: wrong.href }, '/nowhere'), {
      code: 'DATABASE_UNAVAILABLE',
      help: /and the user, password and database in it\.$/,
    })
  }
  await assert.rejects(checkDatabase({ DATABASE_URL: 'mysql://root@localhost/kodus' }, '/nowhere'), {
    code: 'CONFIG_INVALID',
    message: 'DATABASE_URL begins with mysql://, not postgresql://.',
  })
})

test('an embedded database of another version is found before it keeps the stack from starting', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-doctor-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const check = () => checkDatabase({}, directory)
  assert.match((await check()).says, /^embedded PostgreSQL/)
  assert.deepEqual(readdirSync(directory), [], 'looking makes nothing')
  mkdirSync(path.join(directory, 'postgres', 'data'), { recursive: true })
  writeFileSync(path.join(directory, 'postgres', 'password'), 'secret\n')
  writeFileSync(path.join(directory, 'postgres', 'data', 'PG_VERSION'), '17\n')
  await assert.rejects(check(), { code: 'EMBEDDED_POSTGRES_VERSION', message: /made by PostgreSQL 17/ })
  writeFileSync(path.join(directory, 'postgres', 'data', 'PG_VERSION'), '18\n')
  assert.equal((await check()).state, 'ok')
})

test('a setting that two checks meet is one thing to repair', async () => {
  const { code, stdout } = await kodus(['doctor'], { DATABASE_URL: 'mysql://root@localhost/kodus' })
  assert.equal(code, 1)
  assert.equal(stdout.match(/CONFIG_INVALID: DATABASE_URL begins with mysql/g)?.length, 2)
  assert.match(stdout, /\n1 to repair\.\n$/)
})

test('looking at a database makes no tables in it', async (t) => {
  const { pool, url } = await createDatabase(t)
  await pool.query('drop schema public cascade; create schema public')
  const { code, stdout } = await kodus(['doctor'], { DATABASE_URL: url })
  assert.equal(code, 0, stdout)
  assert.equal((await pool.query("select from pg_tables where schemaname = 'public'")).rowCount, 0)
})

test('a queue that exists with other arguments is named, and where it is said what to do', {
  skip: skipWithoutRabbitmq,
}, async (t) => {
  const rabbitmq = await createVhost()
  const connection = await amqp.connect(rabbitmq)
  t.after(() => connection.close())
  const channel = await connection.createChannel()
  await channel.assertQueue(JOBS_QUEUE, { durable: true })
  await assert.rejects(checkQueue({ RABBITMQ_URL: rabbitmq }, '/nowhere'), {
    code: 'TOPOLOGY_MISMATCH',
    message: /workflow\.jobs\.queue exists with another x-/,
    help: /"Changing queue arguments" in docs\/operations\.md/,
  })
})

test('a broker that refuses is quoted, and one that is away is told from it', {
  skip: skipWithoutRabbitmq,
}, async () => {
  const address = new URL(await createVhost())
  const check = (change: (url: URL) => void) => {
    const url = new URL(address)
    change(url)
    return checkQueue({ RABBITMQ_URL: url.href }, '/nowhere')
  }
  assert.match((await check(() => {})).says, /^RabbitMQ \d/)
  await assert.rejects(
    check((url) => {
      url.password = 'not-the-password'
    }),
    { code: 'RABBITMQ_REFUSED', message: /ACCESS_REFUSED/, help: /user, password and virtual host/ },
  )
  await assert.rejects(
    check((url) => {
      url.pathname = '/nowhere'
    }),
    { code: 'RABBITMQ_REFUSED', message: /no such virtual host/ },
  )
  await assert.rejects(
    check((url) => {
      url.port = '1'
    }),
    { code: 'QUEUE_UNAVAILABLE', message: /ECONNREFUSED/ },
  )
})
