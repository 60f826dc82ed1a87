import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import { pino } from 'pino'
import { type DispatcherOptions, startDispatcher } from '../../src/jobs/dispatch-due.ts'
import { publishJobs } from '../../src/jobs/publish-jobs.ts'
import type { JobMessage } from '../../src/jobs/queue.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { JOBS_QUEUE } from '../../src/jobs/topology.ts'
import { silentLog } from '../../src/lib/log.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { claimJob, NO_LIMITS } from '../support/claim-job.ts'
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

    await stores.queued(1)
    await until(async () => (await stores.secondsUntilDue(job)) > 3_500)
  })

  test('leaves a row that is not due yet', LIMIT, async (t) => {
    const stores = await startStores(t)
    const later = await stores.newJob({ dueInMs: 60_000 })
    await stores.newJob({ dueInMs: 0 })

    const dispatcher = stores.dispatch()
    await stores.queued(1)
    await dispatcher.stop()

    assert.ok((await stores.secondsUntilDue(later)) < 61)
  })

  test('publishes each row once, however many dispatchers there are', LIMIT, async (t) => {
    const stores = await startStores(t)
    for (let i = 0; i < 250; i++) await stores.newJob({ dueInMs: 0 })

    const dispatchers = [stores.dispatch(), stores.dispatch(), stores.dispatch()]
    await until(async () => (await stores.published()) === 250)
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()))

    await stores.queued(250)
  })

  test('takes a job from a worker whose lease ran out, and publishes it', LIMIT, async (t) => {
    const stores = await startStores(t)
    const job = await stores.newJob({ dueInMs: 0 })
    await claimJob(stores.pool, job.jobId, 'a worker that died')
    await stores.pool.query('update workflow_jobs set lease_until = now()')

    stores.dispatch()

    await stores.queued(1)
    const { rows } = await stores.pool.query('select status, lapses, attempts from workflow_jobs')
    assert.deepEqual(rows, [{ status: 'RETRYING', lapses: 1, attempts: 0 }])
  })

  test('looks at leases in between, however much is due', LIMIT, async (t) => {
    const stores = await startStores(t)
    const job = await stores.newJob({ dueInMs: 0 })
    await claimJob(stores.pool, job.jobId, 'a worker that dies')
    for (let i = 0; i < 350; i++) await stores.newJob({ dueInMs: 0 })
    const seen: string[] = []
    const publish = async (messages: readonly JobMessage[]) => {
      await stores.queue.publish(messages)
      const { rows } = await stores.pool.query('select status from workflow_jobs where id = $1', [job.jobId])
      seen.push(rows[0].status)
      await stores.pool.query(`update workflow_jobs set lease_until = now() where id = $1`, [job.jobId])
    }

    stores.dispatch({ queue: { ...stores.queue, publish }, publishMs: 0 })

    await until(async () => seen.length >= 3)
    assert.deepEqual(seen.slice(0, 2), ['PROCESSING', 'RETRYING'])
  })

  test('looks at leases, whatever keeps it from mending the clock', LIMIT, async (t) => {
    const stores = await startStores(t)
    const job = await stores.newJob({ dueInMs: 0 })
    await claimJob(stores.pool, job.jobId, 'a worker that died')
    const query = async (sql: string, values?: unknown[]) => {
      if (sql.includes("updated_at > now() + interval '1 minute'")) throw new Error('deadlock detected')
      return await stores.pool.query(sql, values)
    }

    stores.dispatch({ db: { query } as Database })

    await until(async () => stores.warnings.some((warning) => warning.includes('deadlock detected')))
    await stores.pool.query('update workflow_jobs set lease_until = now()')
    await stores.queued(1)
  })

  test('publishes again what a queue that is empty was told of, as soon as it may run', LIMIT, async (t) => {
    const stores = await startStores(t)
    const [lost, limited] = [
      await stores.newJob({ pullRequest: '1' }),
      await stores.newJob({ pullRequest: '1' }),
    ]
    await stores.pool.query(`update workflow_jobs set due_at = now() + interval '1 hour'`)

    stores.dispatch()
    await stores.queued(1)
    const claimed = await claimJob(stores.pool, lost.jobId, 'worker')
    await stores.purge()
    const { rowCount } = await stores.pool.query(
      `select from workflow_jobs where id = $1 and status = 'PENDING'`,
      [limited.jobId],
    )
    assert.equal(rowCount, 1)

    await transitionJob(stores.pool, 'complete', {
      jobId: lost.jobId,
      fence: claimed?.fence ?? '',
      reason: 'done',
      actor: 'worker',
    })
    await stores.queued(1)
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

    await stores.queued(1)
  })

  test('goes on when the database comes back', LIMIT, async (t) => {
    const stores = await startStores(t)
    stores.dispatch()
    await stores.newJob({ dueInMs: 0 })
    await stores.queued(1)

    stores.database.cut()
    await until(async () =>
      stores.warnings.some((warning) => warning.includes('due jobs are not being published')),
    )
    await stores.newJob({ dueInMs: 0 })
    stores.database.restore()

    await stores.queued(2)
  })

  test('gives workers the time to renew their leases after the database was away', LIMIT, async (t) => {
    const stores = await startStores(t)
    const running = await stores.newJob({ dueInMs: 0 })
    await claimJob(stores.pool, running.jobId, 'a worker that was cut off, too')
    stores.dispatch()
    stores.database.cut()
    await until(async () =>
      stores.warnings.some((warning) => warning.includes('due jobs are not being published')),
    )
    await stores.pool.query('update workflow_jobs set lease_until = now()')
    await stores.newJob({ dueInMs: 0 })
    stores.database.restore()

    // It looks again, twenty times a second.
    await stores.queued(1)
    const { rows } = await stores.pool.query('select status from workflow_jobs where id = $1', [
      running.jobId,
    ])
    assert.deepEqual(rows, [{ status: 'PROCESSING' }])
  })
})

/** Both stores, each behind a proxy that can cut it off. Nobody consumes. */
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
    dispatch(over: Partial<DispatcherOptions> = {}) {
      const dispatcher = startDispatcher({
        db,
        queue,
        types: ['code-review'],
        limits: NO_LIMITS,
        worker: 'test',
        log,
        everyMs: 50,
        ...over,
      })
      dispatchers.push(dispatcher)
      return dispatcher
    },
    async newJob({ dueInMs = 0, pullRequest = null }: { dueInMs?: number; pullRequest?: string | null }) {
      const delivery = aDelivery({ request: { pullRequest } })
      await recordDeliveries(pool, [delivery], dueInMs)
      return { jobId: delivery.jobId, type: 'code-review', version: 1 }
    },
    /** Resolves when that many messages wait. */
    queued: (count: number) => until(async () => (await queue.depth().catch(() => -1)) === count),
    purge: () => purgeJobs(vhost),
    async published(): Promise<number> {
      const { rowCount } = await pool.query(
        `select from workflow_jobs where due_at > now() + interval '1 minute'`,
      )
      return rowCount ?? 0
    },
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

async function purgeJobs(url: string): Promise<void> {
  const connection = await amqp.connect(url)
  const channel = await connection.createChannel()
  await channel.purgeQueue(JOBS_QUEUE)
  await connection.close()
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(10)
}
