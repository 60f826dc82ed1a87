import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { publishRecorded } from '../../src/jobs/publish-jobs.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createApp } from '../../src/webhook-handler/app.ts'
import { createDeliveryBatcher } from '../../src/webhook-handler/batch-deliveries.ts'
import { createCircuitBreaker } from '../../src/webhook-handler/circuit-breaker.ts'
import { createIngestDatabase } from '../../src/webhook-handler/ingest-database.ts'
import { listen } from '../../src/webhook-handler/listen.ts'
import {
  createMakeDurable,
  DATABASE_DEADLINE_MS,
  DATABASE_PAUSES,
} from '../../src/webhook-handler/make-durable.ts'
import { createReadiness } from '../../src/webhook-handler/readiness.ts'
import { createWebhookRoute } from '../../src/webhook-handler/webhook-route.ts'
import { recordIntake } from '../../src/worker/record-intake.ts'
import { createDatabase } from '../support/database.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { readQueue } from './read-queue.ts'
import { postGit, SECRETS } from './start-handler.ts'

const { firstPauseMs, longestPauseMs } = DATABASE_PAUSES

/** Every way for PostgreSQL to be away that a network has. */
const AWAY: [string, (proxy: TcpProxy) => void][] = [
  ['refuses connections', (proxy) => proxy.cut()],
  ['swallows packets', (proxy) => proxy.blackhole()],
]

for (const [how, fail] of AWAY) {
  test(`a PostgreSQL that ${how} is asked by one webhook a pause, and by all again once it answered that one`, {
    skip: skipWithoutRabbitmq,
  }, async (t) => {
    const handler = await startHandler(t)
    assert.equal((await handler.send(3)).askedDatabase, 3)
    fail(handler.proxy)
    assert.ok((await handler.send(10)).askedDatabase > 0)
    assert.equal(handler.breaker.state(), 'open')
    assert.equal((await handler.send(10)).askedDatabase, 0, 'nobody waits for it')

    for (const pauseMs of [firstPauseMs, 2 * firstPauseMs, 4 * firstPauseMs]) {
      handler.pass(pauseMs - 1)
      assert.equal((await handler.send(5)).askedDatabase, 0, `before the end of ${pauseMs} ms`)
      handler.pass(1)
      const { askedDatabase, byBroker } = await handler.send(20)
      assert.deepEqual([askedDatabase, byBroker], [1, 20], `a single probe after ${pauseMs} ms`)
      assert.equal(handler.breaker.state(), 'open')
    }

    handler.proxy.restore()
    assert.equal((await handler.send(5)).askedDatabase, 0, 'not before the pause is over')
    handler.pass(8 * firstPauseMs)
    const { askedDatabase, byBroker } = await handler.send(20)
    assert.deepEqual([askedDatabase, byBroker], [1, 19], 'a single probe, although it would take all')
    assert.equal(handler.breaker.state(), 'closed')
    const normal = await handler.send(10)
    assert.deepEqual([normal.askedDatabase, normal.byBroker], [10, 0])

    fail(handler.proxy)
    await handler.send(1)
    handler.pass(firstPauseMs)
    assert.equal((await handler.send(5)).askedDatabase, 1, 'the next outage begins with the short pause')
    handler.proxy.restore()
    assert.deepEqual(await handler.lost(), [])
  })
}

test('while both stores are away each webhook asks both, is 503, and loses no probe', {
  skip: skipWithoutRabbitmq,
}, async (t) => {
  const handler = await startHandler(t)
  handler.proxy.cut()
  await handler.send(1)
  handler.brokerProxy.cut()
  const refused = await handler.send(5)
  assert.deepEqual([refused.askedDatabase, refused.refused], [5, 5])
  handler.pass(longestPauseMs)
  assert.equal((await handler.send(5)).refused, 5)

  handler.proxy.restore()
  const taken = await handler.send(5)
  assert.deepEqual([taken.askedDatabase, taken.refused], [5, 0], 'whatever the breaker says')
  assert.equal(handler.breaker.state(), 'closed')
  handler.brokerProxy.restore()
  assert.deepEqual(await handler.lost(), [])
})

/** The handler as its `main.ts` wires it, on real stores behind proxies; the breaker's clock is the test's. */
async function startHandler(t: TestContext) {
  const { url, pool } = await createDatabase(t)
  const rabbitmq = await createVhost()
  const proxy = await proxyOf(t, url)
  const brokerProxy = await proxyOf(t, rabbitmq)
  const log = silentLog
  const db = openDatabase({
    url: proxy.through(url),
    component: 'test',
    maxConnections: 6,
    queryTimeoutMs: DATABASE_DEADLINE_MS,
    log,
  })
  const queue = createRabbitmqQueue({ url: brokerProxy.through(rabbitmq), log })
  const ingest = createIngestDatabase(db, DATABASE_DEADLINE_MS)
  const batcher = createDeliveryBatcher({
    record: (deliveries) => recordDeliveries(ingest, deliveries, queue.outboxDelayMs),
    announce: (recorded) => publishRecorded({ db: ingest, queue }, recorded),
    deadlineMs: DATABASE_DEADLINE_MS,
    log,
  })
  let askedDatabase = 0
  let now = 0
  const breaker = createCircuitBreaker({ ...DATABASE_PAUSES, now: () => now })
  const makeDurable = createMakeDurable({
    batcher: {
      ...batcher,
      add(delivery) {
        askedDatabase += 1
        return batcher.add(delivery)
      },
    },
    breaker,
    intake: queue.intake,
  })
  const git = { variable: 'GIT_WEBHOOK_SECRET', valid: [SECRETS.GIT_WEBHOOK_SECRET] }
  const app = createApp({
    webhook: createWebhookRoute({ secrets: { git, github: git }, isAllowed: () => true, makeDurable, log }),
    readiness: createReadiness({ db, intake: queue.intake, isMigrated: () => true }),
    isStopping: () => false,
    identity: {},
    log,
  })
  const server = await listen(app, { port: 0, host: '127.0.0.1' })
  t.after(async () => {
    await server.close()
    await batcher.settled()
    await queue.close()
    await db.end()
  })

  const accepted = new Set<string>()
  return {
    proxy,
    brokerProxy,
    breaker,
    /** Lets the breaker's time pass. */
    pass(ms: number) {
      now += ms
    },
    /** Sends so many webhooks at once, and says which stores they went to. */
    async send(count: number) {
      const before = askedDatabase
      const ids = Array.from({ length: count }, () => randomUUID() as string)
      const answers = await Promise.all(
        ids.map((id) => postGit({ url: `http://127.0.0.1:${server.port}` }, undefined, { id })),
      )
      for (const { status, body } of answers) {
        assert.ok(status === 202 || (status === 503 && body.code === 'STORES_UNAVAILABLE'), `${status}`)
      }
      const taken = ids.filter((_, n) => answers[n]?.status === 202).map((id) => jobIdOf('git', id))
      for (const jobId of taken) accepted.add(jobId)
      const { rowCount } = await pool.query('select from workflow_jobs where id = any($1)', [taken])
      return {
        askedDatabase: askedDatabase - before,
        byBroker: taken.length - (rowCount ?? 0),
        refused: count - taken.length,
      }
    },
    /** What was accepted and is in neither store, once a recorder has written what the broker has. */
    async lost(): Promise<string[]> {
      const deliveries = await readQueue(rabbitmq)
      for (const delivery of deliveries) await recordIntake(delivery, { db: pool, queue, log })
      const { rows } = await pool.query<{ id: string }>('select id from workflow_jobs')
      const jobs = new Set(rows.map(({ id }) => id))
      return [...accepted].filter((id) => !jobs.has(id))
    },
  }
}

function proxyOf(t: TestContext, url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url)
  return startTcpProxy(t, { host: hostname, port: Number(port) })
}
