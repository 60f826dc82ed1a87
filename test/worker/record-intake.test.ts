import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobMessage, JobQueue } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { getJob } from '../../src/store/get-job.ts'
import { recordIntake } from '../../src/worker/record-intake.ts'
import { createDatabase } from '../support/database.ts'
import { aCommand, aDelivery } from '../support/deliveries.ts'

/** A broker that notes what is published; the real ones have their own contract. */
function notingQueue(published: JobMessage[]): JobQueue {
  return {
    technology: 'rabbitmq',
    outboxDelayMs: 5_000,
    depth: async () => 0,
    publish: async (messages) => void published.push(...messages),
    consume: async () => assert.fail('nobody consumes here'),
    isUp: () => true,
    close: async () => {},
  }
}

test('a delivery from the intake queue gets its row, and its job is published, however often it comes', async (t) => {
  const { pool: db } = await createDatabase(t)
  const published: JobMessage[] = []
  const delivery = aDelivery()
  const stores = { db, queue: notingQueue(published), log: silentLog }
  await recordIntake(delivery, stores)
  await recordIntake(delivery, stores)
  assert.equal((await getJob(db, delivery.jobId))?.status, 'PENDING')
  assert.deepEqual([...new Set(published.map(({ jobId }) => jobId))], [delivery.jobId])
})

test('a command from the intake queue is recorded and published as what it is', async (t) => {
  const { pool: db } = await createDatabase(t)
  const published: JobMessage[] = []
  const delivery = aCommand({ command: 'pause' })
  await recordIntake(delivery, { db, queue: notingQueue(published), log: silentLog })
  assert.equal((await getJob(db, delivery.jobId))?.type, 'command')
  assert.deepEqual(published, [{ jobId: delivery.jobId, type: 'command', version: 1 }])
})

test('a delivery that PostgreSQL can never store is refused for good, so that it reaches the dead letters', async (t) => {
  const { pool: db } = await createDatabase(t)
  const poison = aDelivery({ request: { title: 'a NUL: \u0000' } })
  await assert.rejects(recordIntake(poison, { db, queue: notingQueue([]), log: silentLog }), {
    code: 'DELIVERY_REFUSED',
    retryability: 'permanent',
  })
})
