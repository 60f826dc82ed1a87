import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { completeTogether } from '../../src/worker/complete-jobs.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

test('jobs that end together are completed together, each with its own answer', async (t) => {
  const { pool: db } = await createDatabase(t)
  const deliveries = Array.from({ length: 10 }, () => aDelivery())
  await recordDeliveries(db, deliveries, 0)
  const claimed = await Promise.all(deliveries.map(({ jobId }) => claimJob(db, jobId, 'worker')))
  let statements = 0
  const complete = completeTogether({
    query: (sql, values) => {
      statements += 1
      return db.query(sql, values)
    },
  })

  const ended = await Promise.all(
    claimed.map((job, n) => {
      const fence = n === 3 ? '99' : (job?.fence ?? '')
      return complete({ jobId: job?.id ?? '', fence, reason: `number ${n}`, actor: 'worker' })
    }),
  )

  assert.deepEqual(
    ended.map((job) => job?.id),
    claimed.map((job, n) => (n === 3 ? undefined : job?.id)),
  )
  assert.equal(statements, 1)
})

test('one that PostgreSQL refuses fails alone', async (t) => {
  const { pool: db } = await createDatabase(t)
  const deliveries = Array.from({ length: 4 }, () => aDelivery())
  await recordDeliveries(db, deliveries, 0)
  const claimed = await Promise.all(deliveries.map(({ jobId }) => claimJob(db, jobId, 'worker')))
  const complete = completeTogether(db)
  const ended = await Promise.allSettled(
    claimed.map((job, n) =>
      complete({
        jobId: job?.id ?? '',
        fence: job?.fence ?? '',
        reason: n === 2 ? 'a NUL: \0' : 'done',
        actor: 'worker',
      }),
    ),
  )
  assert.deepEqual(
    ended.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  )
})
