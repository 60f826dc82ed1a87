import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { repeat } from '../../src/lib/repeat.ts'
import { openDatabase } from '../../src/store/database.ts'
import { type HealthFileOptions, keepHealthFile } from '../../src/worker/keep-health-file.ts'
import { publishWhenUp } from '../contracts/job-queue.ts'
import { createDatabase } from '../support/database.ts'
import { run } from '../support/kodus.ts'
import { spawnComponent } from '../support/processes.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const EVERY_MS = 20
const TURN_WITHIN_MS = 2_000
const LIMIT_MS = 30_000

test('the file grows old while the database is away, and is fresh when it is back', async (t) => {
  const { url } = await createDatabase(t)
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  const db = openDatabase({ url: proxy.through(url), component: 'test', maxConnections: 2, log: silentLog })
  t.after(() => db.end())
  const health = keep(t, { db, loops: {} })

  await health.fresh()
  for (const fail of [proxy.cut, proxy.blackhole]) {
    fail()
    await health.stale(/PostgreSQL|ECONN|terminated|reset/)
    proxy.restore()
    await health.fresh()
  }
})

test('the file grows old while the broker is away', { skip: skipWithoutRabbitmq }, async (t) => {
  const { pool: db } = await createDatabase(t)
  const url = await createVhost()
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  const queue = createRabbitmqQueue({ url: proxy.through(url), log: silentLog })
  t.after(() => queue.close())
  const consumer = await queue.consume({ slots: 1, claim: async () => [], run: async () => {} })
  const health = keep(t, { db, loops: { consumer } })

  await health.fresh()
  proxy.cut()
  await health.stale(/consumer is not connected/)
  proxy.restore()
  await health.fresh()
})

for (const technology of ['postgres', 'rabbitmq'] as const) {
  const skip = technology === 'rabbitmq' && skipWithoutRabbitmq
  test(`the file grows old while a claim hangs (${technology})`, { skip }, async (t) => {
    const { pool: db } = await createDatabase(t)
    const queue =
      technology === 'postgres'
        ? createPostgresQueue({ pool: db, log: silentLog })
        : createRabbitmqQueue({ url: await createVhost(), log: silentLog })
    t.after(() => queue.close())
    let hangs: Promise<void> | undefined
    const claim = async () => {
      await hangs
      return []
    }
    const consumer = await queue.consume({ slots: 1, claim, run: async () => {} })
    const health = keep(t, { db, loops: { consumer } })
    await health.fresh()

    const { promise, resolve } = hold(t)
    hangs = promise
    await publishWhenUp(queue, { jobId: crypto.randomUUID(), type: 'review', version: 1 })
    await health.stale(/consumer has not turned for 2000 ms/)

    resolve()
    await health.fresh()
  })
}

test('the file grows old while a round of the dispatcher does not end', async (t) => {
  const { pool: db } = await createDatabase(t)
  const { promise, resolve } = hold(t)
  const dispatcher = repeat('', EVERY_MS, () => promise, silentLog)
  t.after(() => dispatcher.stop())
  const health = keep(t, { db, loops: { dispatcher } })

  await health.stale(/dispatcher has not turned/)
  resolve()
  await health.fresh()
})

test("a worker keeps the file, and the image's health check goes by its age", async (t) => {
  const { url } = await createDatabase(t)
  const file = path.join(scratch(t), 'health')
  const check = () => run(process.execPath, ['infra/docker/health.mjs', 'file', 'F'], { env: { F: file } })
  assert.deepEqual(await check().then(({ code, stdout }) => [code, /no such file/.test(stdout)]), [1, true])

  const worker = await spawnComponent(t, {
    type: 'worker',
    env: { DATABASE_URL: url, WORKER_HEALTH_FILE: file },
  })
  await until(() => existsSync(file))
  const well = await check()
  assert.deepEqual([well.code, /^the worker was last well \d+ s ago\n$/.test(well.stdout)], [0, true])
  const seen = readFileSync(file, 'utf8')
  assert.deepEqual(Object.keys(JSON.parse(seen)), ['at', 'pid', 'databaseMs', 'consumer', 'dispatcher'])
  assert.equal(seen.includes(new URL(url).host), false)

  worker.signal('SIGSTOP')
  const aged = (seconds: number) => {
    const time = Date.now() / 1000 + seconds
    utimesSync(file, time, time)
    return check()
  }
  assert.equal((await aged(-240)).code, 0, 'an outage of a few minutes replaces no worker')
  assert.equal((await aged(-310)).code, 1)
  assert.equal((await aged(310)).code, 1)
  worker.signal('SIGCONT')
  await until(async () => (await check()).code === 0)
})

/** What keeps a file for a test, often; and how to see whether it does. */
function keep(t: TestContext, options: Pick<HealthFileOptions, 'db' | 'loops'>) {
  const file = path.join(scratch(t), 'health')
  const lines: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) })
  const keeping = keepHealthFile({
    ...options,
    file,
    log,
    everyMs: EVERY_MS,
    turnWithinMs: TURN_WITHIN_MS,
  })
  t.after(() => keeping.stop())
  return {
    /** Resolves when it is written anew. */
    async fresh() {
      rmSync(file, { force: true })
      await until(() => existsSync(file))
      lines.length = 0
    },
    /** Resolves when the log gives that reason, and the file is not written anew. */
    async stale(reason: RegExp) {
      await until(() => lines.some((line) => reason.test(line)))
      rmSync(file, { force: true })
      await sleep(20 * EVERY_MS)
      assert.equal(existsSync(file), false)
    },
  }
}

/** Something that hangs until it is resolved, or the test has ended. */
function hold(t: TestContext) {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  t.after(() => resolve())
  return { promise, resolve }
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-health-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${LIMIT_MS} ms`)
    await sleep(10)
  }
}
