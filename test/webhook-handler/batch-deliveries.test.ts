import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery } from '../../src/jobs/review-request.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Database } from '../../src/store/database.ts'
import { type RecordedDelivery, recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createDeliveryBatcher } from '../../src/webhook-handler/batch-deliveries.ts'
import { createIngestDatabase } from '../../src/webhook-handler/ingest-database.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const DEADLINE_MS = 60_000
const JOB = { type: 'code-review', version: 1, fence: '0' }

function createBatcher(db: Database) {
  const batches: number[] = []
  const announced: RecordedDelivery[] = []
  const batcher = createDeliveryBatcher({
    record: (deliveries) => {
      batches.push(deliveries.length)
      return recordDeliveries(db, deliveries, 0)
    },
    announce: async (recorded) => void announced.push(...recorded),
    deadlineMs: DEADLINE_MS,
    log: silentLog,
  })
  return { batcher, batches, announced }
}

test('requests that come together share an insert, and each gets its own answer', async (t) => {
  const { pool } = await createDatabase(t)
  const { batcher, batches, announced } = createBatcher(pool)
  const deliveries = Array.from({ length: 200 }, () => aDelivery())

  const answers = await Promise.all(deliveries.map((delivery) => batcher.add(delivery)))

  assert.deepEqual(
    answers,
    deliveries.map(({ jobId }) => ({ jobId, status: 'PENDING', duplicate: false, job: JOB })),
  )
  assert.deepEqual(batches, [64, 64, 64, 8])
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 200)
  await batcher.settled()
  assert.deepEqual(announced.map(({ jobId }) => jobId).sort(), deliveries.map(({ jobId }) => jobId).sort())
})

test('a row that PostgreSQL refuses fails alone, wherever in its batch it stands', async (t) => {
  const { pool } = await createDatabase(t)
  const { batcher } = createBatcher(pool)
  const bad: Record<number, Delivery> = {
    2: aDelivery({ request: { title: 'a NUL: \0' } }),
    17: aDelivery({ digest: 'no hex' }),
    40: aDelivery({ pullRequest: { updatedAt: 'yesterday, or so' } }),
    65: aDelivery({ request: { title: 'half a pair: \ud800' } }),
  }
  const deliveries = Array.from({ length: 66 }, (_, n) => bad[n] ?? aDelivery())

  const results = await Promise.allSettled(deliveries.map((delivery) => batcher.add(delivery)))

  for (const [n, result] of results.entries()) {
    if (!bad[n]) assert.equal(result.status, 'fulfilled', `delivery ${n}`)
    else assert.ok(result.status === 'rejected' && result.reason.code === 'DELIVERY_REFUSED', `delivery ${n}`)
  }
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 62)
})

test('a row that somebody holds delays its own delivery alone', async (t) => {
  const { pool } = await createDatabase(t)
  const { batcher } = createBatcher(createIngestDatabase(pool, 5_000))
  const ofPullRequest = (pullRequest: string) =>
    aDelivery({ request: { pullRequest }, pullRequest: { updatedAt: null } })
  await batcher.add(ofPullRequest('held'))
  const holder = await pool.connect()
  await holder.query('begin')
  await holder.query(`select from pull_requests for update`)

  const held = batcher.add(ofPullRequest('held'))
  await Promise.all(Array.from({ length: 40 }, (_, n) => batcher.add(ofPullRequest(`free ${n}`))))
  assert.equal(await Promise.race([held, 'still held']), 'still held')

  await holder.query('rollback')
  holder.release()
  assert.equal((await held)?.duplicate, false)
})

test('a delivery that comes twice at once is answered twice, once as a duplicate', async (t) => {
  const { pool } = await createDatabase(t)
  const { batcher } = createBatcher(pool)
  const others = [aDelivery(), aDelivery()]
  const twice = aDelivery()

  const [, , first, second] = await Promise.all([...others, twice, twice].map((d) => batcher.add(d)))

  for (const answer of [first, second]) {
    assert.deepEqual(
      { ...answer, duplicate: null },
      { jobId: twice.jobId, status: 'PENDING', duplicate: null, job: JOB },
    )
  }
  // They went in two inserts, on two connections: which of them comes first is PostgreSQL's to say.
  assert.deepEqual([first?.duplicate, second?.duplicate].sort(), [false, true])
})

test('a failure that passes within the deadline is not noticed', async (t) => {
  const { pool } = await createDatabase(t)
  const failures = ['Connection terminated unexpectedly', 'the database system is starting up']
  const batcher = createDeliveryBatcher({
    record: async (deliveries) => {
      const failure = failures.shift()
      if (failure) throw new Error(failure)
      return recordDeliveries(pool, deliveries, 0)
    },
    announce: async () => {},
    deadlineMs: DEADLINE_MS,
    log: silentLog,
  })
  assert.equal((await batcher.add(aDelivery()))?.duplicate, false)
  assert.deepEqual(failures, [])
})

test('a failure that lasts is reported at the deadline, and nothing goes on for those who left', async () => {
  let tries = 0
  const batcher = createDeliveryBatcher({
    record: async () => {
      tries += 1
      throw new Error('the disk is full')
    },
    announce: async () => assert.fail('nothing was committed'),
    deadlineMs: 50,
    log: silentLog,
  })
  await assert.rejects(batcher.add(aDelivery()), {
    code: 'DATABASE_UNAVAILABLE',
    message: /within 50 ms: the disk is full/,
  })
  await batcher.settled()
  assert.equal(tries, 1)
})

test('who comes when too many wait is sent away at once', async () => {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const batcher = createDeliveryBatcher({
    record: async () => {
      await opened
      return new Map()
    },
    announce: async () => {},
    deadlineMs: DEADLINE_MS,
    log: silentLog,
  })
  const delivery = aDelivery()
  const waiting = Array.from({ length: 4_096 }, () => batcher.add(delivery))
  await assert.rejects(batcher.add(delivery), (error) => {
    return error instanceof KodusError && error.code === 'HANDLER_BUSY'
  })
  open()
  await Promise.all(waiting)
})
