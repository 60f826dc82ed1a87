import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import type { JobMessage } from '../../src/jobs/queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import { openDatabase } from '../../src/store/database.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { newJob, type QueueServer, testJobQueue } from './job-queue.ts'

testJobQueue('PostgreSQL', { start: startServer })

test('an announced job is taken at once, without waiting for the next look at the table', async (t) => {
  const server = await startServer(t)
  const queue = server.open()
  const taken = await takeAll(server, queue)
  const start = performance.now()

  for (let round = 0; round < 10; round++) {
    const job = await newJob(server)
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
  const announced = await newJob(server)
  await queue.publish([announced])
  assert.deepEqual(await taken.next(), announced)

  const unannounced = await newJob(server)

  assert.deepEqual(await taken.next(), unannounced)
})

/** A database of its own; each `open` has its own pool, as each process has. */
async function startServer(t: TestContext): Promise<QueueServer> {
  const { url, pool: admin } = await createDatabase(t)

  const openAt = (url: string) => {
    const pool = openDatabase({ url, component: 'test', maxConnections: 3, log: silentLog })
    const queue = createPostgresQueue({ pool, log: silentLog })
    t.after(async () => {
      await queue.close()
      await pool.end()
    })
    return queue
  }

  return {
    open: () => openAt(url),
    openAway: () => openAt('postgresql://postgres@127.0.0.1:1/nobody'),
    db: admin,
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
    claim: (count) =>
      claimJobs(server.db, 'test', { types: ['code-review'], limits: NO_LIMITS, count, withSuspect: true }),
    async run({ id, type, version }) {
      taken.push({ jobId: id, type, version })
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
