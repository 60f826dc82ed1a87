import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { startDispatcher } from '../../src/jobs/dispatch-due.ts'
import { publishJobs } from '../../src/jobs/publish-jobs.ts'
import type { JobMessage } from '../../src/jobs/queue.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { claimJob } from '../../src/store/claim-job.ts'
import { openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const LIMIT = { timeout: 30_000 }

describe('the dispatcher', { skip: skipWithoutRabbitmq }, () => {
  test('publishes a row that is due, and then leaves it alone for an hour', LIMIT, async (t) => {
    const stores = await startStores(t)
    const job = await stores.newJob({ dueInMs: 0 })

    stores.dispatch()

    await stores.consumed([job])
    await until(async () => (await stores.secondsUntilDue(job)) > 3_500)
  })

  test('leaves a row that is not due yet', LIMIT, async (t) => {
    const stores = await startStores(t)
    const later = await stores.newJob({ dueInMs: 60_000 })
    const due = await stores.newJob({ dueInMs: 0 })

    const dispatcher = stores.dispatch()
    await stores.consumed([due])
    await dispatcher.stop()

    assert.deepEqual(stores.taken, [due])
    assert.ok((await stores.secondsUntilDue(later)) < 61)
  })

  test('publishes each row once, however many dispatchers there are', LIMIT, async (t) => {
    const stores = await startStores(t)
    const jobs: JobMessage[] = []
    for (let i = 0; i < 250; i++) jobs.push(await stores.newJob({ dueInMs: 0 }))

    const dispatchers = [stores.dispatch(), stores.dispatch(), stores.dispatch()]
    await stores.consumed(jobs)
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()))

    assert.equal(stores.taken.length, jobs.length)
  })

  test('publishes the job of a worker whose lease ran out', LIMIT, async (t) => {
    const stores = await startStores(t)
    const job = await stores.newJob({ dueInMs: 0 })
    await claimJob(stores.pool, job.jobId, 'a worker that died')
    await stores.pool.query('update workflow_jobs set due_at = now(), lease_until = now()')

    stores.dispatch()

    await stores.consumed([job])
  })

  test('keeps rows while the broker is away, and publishes them when it is back', LIMIT, async (t) => {
    const stores = await startStores(t)
    stores.broker.cut()
    await until(async () => !stores.queue.isUp())
    stores.dispatch()
    const job = await stores.newJob({ dueInMs: 0 })

    assert.equal(await publishJobs({ db: stores.pool, queue: stores.queue }, [{ ...job, fence: '0' }]), false)
    assert.ok((await stores.secondsUntilDue(job)) <= 10)
    stores.broker.restore()

    await stores.consumed([job])
  })

  test('goes on when the database comes back', LIMIT, async (t) => {
    const stores = await startStores(t)
    stores.dispatch()
    const before = await stores.newJob({ dueInMs: 0 })
    await stores.consumed([before])

    stores.database.cut()
    await until(async () =>
      stores.warnings.some((warning) => warning.includes('due jobs are not being published')),
    )
    const job = await stores.newJob({ dueInMs: 0 })
    stores.database.restore()

    await stores.consumed([before, job])
  })
})

/** Both stores, each behind a proxy that can cut it off, and a consumer that keeps what it is handed. */
async function startStores(t: TestContext) {
  const { url, pool } = await createDatabase(t)
  const database = await startTcpProxy(t, hostOf(url))
  const db = openDatabase({
    url: database.through(url),
    component: 'test',
    maxConnections: 3,
    log: silentLog,
  })

  const vhost = await createVhost()
  const broker = await startTcpProxy(t, hostOf(vhost))
  const queue = createRabbitmqQueue({ url: broker.through(vhost), log: silentLog })
  const taken: JobMessage[] = []
  await queue.consume({ slots: 10, onJob: async (message) => void taken.push(message) })
  await until(async () => queue.isUp())

  const warnings: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void warnings.push(line) })

  const dispatchers: ReturnType<typeof startDispatcher>[] = []
  t.after(async () => {
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()))
    await queue.close()
    await db.end()
  })

  return {
    pool,
    database,
    warnings,
    broker,
    queue,
    taken,
    dispatch() {
      const dispatcher = startDispatcher({ db, queue, types: ['code-review'], log, everyMs: 50 })
      dispatchers.push(dispatcher)
      return dispatcher
    },
    async newJob({ dueInMs }: { dueInMs: number }): Promise<JobMessage> {
      const delivery = aDelivery()
      await recordDeliveries(pool, [delivery], dueInMs)
      return { jobId: delivery.jobId, type: 'code-review', version: 1 }
    },
    consumed: (jobs: readonly JobMessage[]) =>
      until(async () => jobs.every((job) => taken.some(({ jobId }) => jobId === job.jobId))),
    async secondsUntilDue({ jobId }: JobMessage): Promise<number> {
      const { rows } = await pool.query<{ seconds: number }>(
        'select extract(epoch from due_at - now())::float as seconds from workflow_jobs where id = $1',
        [jobId],
      )
      return rows[0]?.seconds ?? Number.NaN
    },
  }
}

function hostOf(url: string): { host: string; port: number } {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(10)
}
