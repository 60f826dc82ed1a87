import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { Forge } from '../../src/forges/forge.ts'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { SUSPECT_AFTER_LAPSES } from '../../src/store/choose-fairly.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { completeTogether } from '../../src/worker/complete-jobs.ts'
import type { JobRunner } from '../../src/worker/job-runner.ts'
import { takeJobs } from '../../src/worker/take-jobs.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'

const LIMIT = { timeout: 30_000 }

/** A worker with jobs for it, of which some have outlived workers before; each runs until it is let go. */
async function aWorker(t: TestContext, titles: Record<string, { suspect: boolean }>) {
  const { pool: db } = await createDatabase(t)
  for (const [title, { suspect }] of Object.entries(titles)) {
    const delivery = aDelivery({ request: { title } })
    await recordDeliveries(db, [delivery], 0)
    if (!suspect) continue
    await db.query('update workflow_jobs set lapses = $1 where id = $2', [
      SUSPECT_AFTER_LAPSES,
      delivery.jobId,
    ])
  }
  const running = new Map<string, () => void>()
  const changes = new EventEmitter()
  const forge: Forge = {
    poster: { post: async () => assert.fail('nothing to post') },
    reader: {
      open: ({ title }) =>
        new Promise((_, reject) => {
          running.set(title, () => reject(new KodusError('LET_GO', 'let go', { help: 'none' })))
          changes.emit('change')
        }),
    },
  }
  const runner: JobRunner = {
    db,
    complete: completeTogether(db),
    queue: createPostgresQueue({ pool: db, log: silentLog }),
    forges: { git: forge },
    model: undefined,
    worker: 'worker-1',
    log: silentLog,
    attempts: new Set(),
    stopping: new AbortController().signal,
  }
  const taker = takeJobs(runner, new Set(), { slots: 4, types: ['code-review'], limits: NO_LIMITS })
  const ended = new Map<string, Promise<void>>()

  return {
    claim: () => taker.claim(4),
    /** Claims for all slots, and starts what it got. */
    async take() {
      const jobs = await taker.claim(4)
      assert.ok(jobs !== 'later')
      for (const job of jobs) if (job.type === 'code-review') ended.set(job.payload.title, taker.run(job))
      return jobs.length
    },
    running: () => [...running.keys()].sort(),
    async untilRunning(title: string) {
      while (!running.has(title)) await once(changes, 'change')
    },
    async letGo(title: string) {
      running.get(title)?.()
      await ended.get(title)
      running.delete(title)
    },
  }
}

test('a job that killed its workers runs when all others here have ended, and alone', LIMIT, async (t) => {
  const worker = await aWorker(t, {
    suspect: { suspect: true },
    one: { suspect: false },
    two: { suspect: false },
  })
  assert.equal(await worker.take(), 3)
  await worker.untilRunning('one')
  await worker.untilRunning('two')
  assert.equal(await worker.claim(), 'later', 'nothing is taken beside it')

  await worker.letGo('one')
  assert.deepEqual(worker.running(), ['two'])
  await worker.letGo('two')
  await worker.untilRunning('suspect')
  assert.equal(await worker.claim(), 'later')

  await worker.letGo('suspect')
  assert.deepEqual(await worker.claim(), [])
})

test('of several such jobs a worker takes one after the other', LIMIT, async (t) => {
  const worker = await aWorker(t, { first: { suspect: true }, second: { suspect: true } })
  assert.equal(await worker.take(), 1)
  await worker.untilRunning('first')
  await worker.letGo('first')
  assert.equal(await worker.take(), 1)
  await worker.untilRunning('second')
  await worker.letGo('second')
})
