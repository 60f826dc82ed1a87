import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import type { JobMessage } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { claimJob } from '../../src/store/claim-job.ts'
import { openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { type QueueServer, testJobQueue } from './job-queue.ts'

testJobQueue('PostgreSQL', { start: startServer })

test('an announced job is taken at once, without waiting for the next look at the table', async (t) => {
  const server = await startServer(t)
  const queue = server.open()
  const taken = await takeAll(server, queue)
  const start = performance.now()

  for (let round = 0; round < 10; round++) {
    const job = await server.newJob()
    await queue.publish([job])
    assert.deepEqual(await taken.next(), job)
  }

  // Ten looks at the table, a second apart, take ten seconds; ten announcements took 0.1 s.
  assert.ok(performance.now() - start < 3_000)
})

test('a job that nobody announced is taken all the same', { timeout: 30_000 }, async (t) => {
  const server = await startServer(t)
  const queue = server.open()
  const taken = await takeAll(server, queue)
  const announced = await server.newJob()
  await queue.publish([announced])
  assert.deepEqual(await taken.next(), announced)

  const unannounced = await server.newJob()

  assert.deepEqual(await taken.next(), unannounced)
})

/** A database of its own; each `open` has its own pool, as each process has. */
async function startServer(t: TestContext): Promise<QueueServer> {
  const { url, pool: admin } = await createDatabase(t)

  const openAt = (url: string) => {
    const pool = openDatabase({ url, component: 'test', maxConnections: 3, log: silentLog })
    const queue = createPostgresQueue({ pool, types: ['code-review'], log: silentLog })
    t.after(async () => {
      await queue.close()
      await pool.end()
    })
    return queue
  }

  return {
    open: () => openAt(url),
    openAway: () => openAt('postgresql://postgres@127.0.0.1:1/nobody'),
    async newJob() {
      const delivery = aDelivery()
      await recordDeliveries(admin, [delivery], 0)
      return { jobId: delivery.jobId, type: 'code-review', version: 1 }
    },
    claim: async ({ jobId }) => void (await claimJob(admin, jobId, 'test')),
    lapse: async ({ jobId }) =>
      void (await admin.query('update workflow_jobs set due_at = now(), lease_until = now() where id = $1', [
        jobId,
      ])),
    cutConnections: async () =>
      void (await admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      )),
  }
}

/** A consumer that settles each job at once; `next` is the one it took next. */
async function takeAll(server: QueueServer, queue: ReturnType<QueueServer['open']>) {
  const taken: JobMessage[] = []
  let wake = () => {}
  await queue.consume({
    slots: 1,
    async onJob(message) {
      await server.claim(message)
      taken.push(message)
      wake()
    },
  })
  return {
    async next() {
      const before = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (taken.length === 0) await before
      return taken.shift()
    },
  }
}
