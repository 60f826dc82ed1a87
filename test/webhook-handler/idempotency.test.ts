import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type pg from 'pg'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import { recordIntake } from '../../src/worker/record-intake.ts'
import { createDatabase } from '../support/database.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { gitBody, type Handler, postGit, startHandler } from './start-handler.ts'

const options = { skip: skipWithoutRabbitmq }

test('one delivery at two handlers at once is one job, and one of them says duplicate', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handlers = await Promise.all([1, 2].map(() => startHandler(t, { DATABASE_URL: url })))
  for (let round = 0; round < 20; round++) {
    const id = randomUUID()
    const body = gitBody()
    const answers = await Promise.all(handlers.map((handler) => postGit(handler, body, { id })))
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.jobId]),
      handlers.map(() => [202, jobIdOf('git', id)]),
    )
    assert.deepEqual(answers.map(({ body }) => body.duplicate ?? false).sort(), [false, true])
  }
  assert.equal(await countJobs(pool), 20)
})

test('one delivery over both paths is one job, whichever is recorded first', options, async (t) => {
  const { pool, direct, byBroker, recorded } = await startBothPaths(t)
  const [early, late] = [gitBody(), gitBody()]

  const first = (await postGit(direct, early, { id: 'database-first' })).body
  assert.deepEqual((await postGit(byBroker, early, { id: 'database-first' })).body, first)
  await recorded('database-first', 1)

  await postGit(byBroker, late, { id: 'broker-first' })
  await recorded('broker-first', 1)
  const jobId = jobIdOf('git', 'broker-first')
  const again = await postGit(direct, late, { id: 'broker-first' })
  assert.deepEqual(again.body, { jobId, status: 'PENDING', duplicate: true })
  assert.equal(await countJobs(pool), 2)
})

test('one delivery twice over the broker is one job', options, async (t) => {
  const { pool, byBroker, recorded } = await startBothPaths(t)
  const body = gitBody()
  await Promise.all([1, 2, 3].map(() => postGit(byBroker, body, { id: 'thrice' })))
  await recorded('thrice', 3)
  assert.equal(await countJobs(pool), 1)
})

test('a captured body under fresh delivery ids is no other job, over neither path', options, async (t) => {
  const { pool, direct, byBroker, recorded } = await startBothPaths(t)
  const body = gitBody()
  const { jobId } = (await postGit(direct, body, { id: 'original' })).body

  const replayed = await postGit(direct, body, { id: 'captured-1' })
  assert.deepEqual(replayed.body, { jobId, status: 'PENDING', duplicate: true })
  await postGit(byBroker, body, { id: 'captured-2' })
  await recorded('captured-2', 1)

  const other = gitBody()
  await postGit(byBroker, other, { id: 'captured-3' })
  await postGit(byBroker, other, { id: 'captured-4' })
  await recorded('captured-3', 1)
  await recorded('captured-4', 1)
  assert.equal(await countJobs(pool), 2)
})

test('a delivery whose job was removed stays a duplicate, over both paths', options, async (t) => {
  const { pool, direct, byBroker, recorded } = await startBothPaths(t)
  const body = gitBody()
  const { jobId } = (await postGit(direct, body, { id: 'old' })).body
  await pool.query('delete from workflow_jobs')

  for (const id of ['old', 'captured']) {
    const again = await postGit(direct, body, { id })
    assert.deepEqual([again.status, again.body], [202, { jobId, status: null, duplicate: true }])
    await postGit(byBroker, body, { id })
    await recorded(id, 1)
  }
  assert.equal(await countJobs(pool), 0)
})

/** A handler at the database, another that reaches only the broker, and a recorder such as every worker has. */
async function startBothPaths(t: TestContext): Promise<{
  pool: pg.Pool
  direct: Handler
  byBroker: Handler
  /** Until the recorder has been through with that many messages of a delivery. */
  recorded(deliveryId: string, times: number): Promise<void>
}> {
  const { url, pool } = await createDatabase(t)
  const rabbitmq = await createVhost()
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  proxy.cut()
  const [direct, byBroker] = await Promise.all([
    startHandler(t, { DATABASE_URL: url, RABBITMQ_URL: rabbitmq }),
    startHandler(t, { DATABASE_URL: proxy.through(url), RABBITMQ_URL: rabbitmq }),
  ])

  const queue = createRabbitmqQueue({ url: rabbitmq, log: silentLog })
  t.after(() => queue.close())
  const seen: string[] = []
  const waiting = new Set<() => void>()
  await queue.intake.record(async (delivery) => {
    await recordIntake(delivery, { db: pool, queue, log: silentLog })
    seen.push(delivery.deliveryId)
    for (const look of waiting) look()
  })
  const recorded = (deliveryId: string, times: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (seen.filter((id) => id === deliveryId).length < times) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  return { pool, direct, byBroker, recorded }
}

async function countJobs(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query('select count(*)::int as jobs from workflow_jobs')
  return rows[0].jobs
}
