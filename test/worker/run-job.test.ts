import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createForges } from '../../src/forges/index.ts'
import { JOB_TYPES } from '../../src/jobs/job-types.ts'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Model } from '../../src/models/model.ts'
import type { Review } from '../../src/review/review.ts'
import { getJob } from '../../src/store/get-job.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { completeTogether } from '../../src/worker/complete-jobs.ts'
import type { JobRunner } from '../../src/worker/job-runner.ts'
import { runJob } from '../../src/worker/run-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { makeRepository } from '../support/repository.ts'

const FILES = {
  base: { 'orders.py': 'def total(items):\n    return sum(items)\n' },
  head: { 'orders.py': 'def total(items, seen=[]):\n    seen.append(items)\n    return sum(items)\n' },
}

/** A repository, a database with one job for it, and a worker to run that job with. */
async function aJob(t: TestContext, { model, request = {} }: { model?: Model; request?: object } = {}) {
  const { pool: db } = await createDatabase(t)
  const repository = makeRepository(t, FILES)
  const delivery = aDelivery({
    request: {
      repository: repository.path,
      base: repository.base,
      head: repository.head,
      pullRequest: 'feature',
      branch: 'feature',
      ...request,
    },
    pullRequest: {},
  })
  await recordDeliveries(db, [delivery], 0)
  const queue = createPostgresQueue({ pool: db, log: silentLog })
  const stopping = new AbortController()
  const runner: JobRunner = {
    db,
    complete: completeTogether(db),
    queue,
    forges: createForges({ repositoryRoots: [repository.root], gitProtocols: ['https'], gitCredentials: [] }),
    model,
    worker: 'worker-1',
    log: silentLog,
    attempts: new Set(),
    stopping: stopping.signal,
  }
  const { jobId } = delivery
  return {
    db,
    jobId,
    delivery,
    runner,
    run: async () => {
      const claimed = await claimJob(db, jobId, runner.worker)
      if (claimed) await runJob(claimed, runner)
    },
    read: async () => {
      const job = await getJob<Review>(db, jobId)
      assert.ok(job)
      return job
    },
    makeDue: () => db.query(`update workflow_jobs set due_at = now(), run_at = now() where id = $1`, [jobId]),
  }
}

/** A model that answers when it is told to. */
function aModel(answer: (request: { signal: AbortSignal }) => Promise<unknown>): Model & { asked: number } {
  const model = {
    name: 'test-model',
    asked: 0,
    async answer(request: { signal: AbortSignal }) {
      model.asked += 1
      return { value: await answer(request), inputTokens: 1, outputTokens: 1 }
    },
  }
  return model
}

test('a job becomes a review with its findings on the changed lines', async (t) => {
  const { run, read } = await aJob(t)
  await run()
  const job = await read()
  assert.equal(job.status, 'COMPLETED')
  assert.equal(job.progress, 100)
  assert.equal(job.stage, 'publish')
  assert.deepEqual(
    job.review?.findings.map(({ path, line, rule }) => [path, line, rule]),
    [['orders.py', 1, 'python/mutable-default']],
  )
  assert.equal(job.review?.model.used, false, 'and the review says that no model was asked')
})

test('a job is run once, however often its message comes', async (t) => {
  const { run, db, jobId } = await aJob(t)
  await Promise.all([run(), run(), run()])
  await run()
  const events = await listEvents(db, [{ jobId, after: '0' }])
  assert.deepEqual(
    events.filter((event) => event.stage === null).map((event) => event.to),
    ['PENDING', 'PROCESSING', 'COMPLETED'],
  )
})

test('a permanent failure ends the job at once, with a reason and what to do', async (t) => {
  const { run, read } = await aJob(t, { request: { head: 'f'.repeat(40) } })
  await run()
  const job = await read()
  assert.equal(job.status, 'FAILED')
  assert.equal(job.attempts, 1)
  assert.ok(job.error?.code.startsWith('GIT_'), job.error?.code)
  assert.ok(job.error?.help)
})

test('a transient failure is retried later, until the attempts are used up', async (t) => {
  const model = aModel(async () => {
    throw new KodusError('MODEL_UNAVAILABLE', 'no answer', { help: 'wait', retryability: 'transient' })
  })
  const { run, read, makeDue, db, jobId } = await aJob(t, { model })
  const { maxAttempts } = JOB_TYPES['code-review']
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    await run()
    const job = await read()
    assert.deepEqual([job.status, job.attempts], [attempt < maxAttempts ? 'RETRYING' : 'FAILED', attempt])
    const { rows } = await db.query('select due_at > now() as later from workflow_jobs where id = $1', [
      jobId,
    ])
    assert.equal(rows[0].later, attempt < maxAttempts ? true : null)
    await makeDue()
  }
  assert.equal((await read()).error?.code, 'MODEL_UNAVAILABLE')
})

test('a rate limit is waited out for as long as it says', async (t) => {
  const model = aModel(async () => {
    const options = { help: 'wait', retryability: 'transient', retryAfterMs: 3_600_000 } as const
    throw new KodusError('MODEL_RATE_LIMITED', 'too many requests', options)
  })
  const { run, db, jobId } = await aJob(t, { model })
  await run()
  const { rows } = await db.query(
    `select due_at between now() + interval '59 minutes' and now() + interval '61 minutes' as asked from workflow_jobs where id = $1`,
    [jobId],
  )
  assert.deepEqual(rows, [{ asked: true }])
})

test('a stopping worker hands the job back without costing an attempt, and the model is not paid for twice', async (t) => {
  const model = aModel(async () => ({ findings: [] }))
  const job = await aJob(t, { model })
  const afterCheckpoint = async () => {
    for (const attempt of job.runner.attempts) attempt.stop('worker-stops')
  }
  // Stop it where the next stage begins after the model's answer was checkpointed.
  const query = job.db.query.bind(job.db)
  job.db.query = (async (sql: string, values?: unknown[]) => {
    const result = await query(sql, values)
    if (sql.includes('insert into workflow_job_checkpoints')) await afterCheckpoint()
    return result
  }) as typeof job.db.query
  await job.run()
  assert.deepEqual([(await job.read()).status, (await job.read()).attempts], ['PENDING', 0])

  job.db.query = query
  await job.run()
  assert.equal((await job.read()).status, 'COMPLETED')
  assert.equal(model.asked, 1)
})

test('a head that is not the newest is superseded before anything is read', async (t) => {
  const { run, read, db } = await aJob(t)
  const newer = aDelivery({
    request: { repository: (await read()).repository, pullRequest: 'feature', head: 'e'.repeat(40) },
    pullRequest: {},
  })
  await recordDeliveries(db, [newer], 0)
  await run()
  const job = await read()
  assert.equal(job.status, 'SUPERSEDED')
  assert.equal(job.stage, null)
})

test('a head that arrives while the review runs keeps the older review from being posted', async (t) => {
  const job = await aJob(t, {
    model: aModel(async () => {
      const { repository } = await job.read()
      const request = { repository, pullRequest: 'feature', head: 'e'.repeat(40) }
      await recordDeliveries(job.db, [aDelivery({ request, pullRequest: {} })], 0)
      return { findings: [] }
    }),
  })
  await job.run()
  const read = await job.read()
  assert.equal(read.status, 'SUPERSEDED')
  assert.equal(read.review, null)
  assert.equal((await job.db.query('select from reviews')).rowCount, 0)
})

test('an attempt that lost its job writes nothing of its failure', async (t) => {
  const job = await aJob(t, {
    model: aModel(async () => {
      await job.db.query(`update workflow_jobs set lease_until = now() - interval '1 second'`)
      assert.ok(await claimJob(job.db, job.jobId, 'worker-2'))
      throw new KodusError('MODEL_UNAVAILABLE', 'no answer', { help: 'wait' })
    }),
  })
  await job.run()
  assert.deepEqual([(await job.read()).status, (await job.read()).error], ['PROCESSING', null])
})

test('a job that keeps killing its workers is failed, and says so', async (t) => {
  const { run, read, db } = await aJob(t)
  await db.query('update workflow_jobs set lapses = 6')
  await run()
  assert.equal((await read()).status, 'FAILED')
  assert.equal((await read()).error?.code, 'WORKERS_KEEP_DYING')
})

test('a forge this worker cannot read fails the job with a reason, and keeps it for a replay', async (t) => {
  const { run, read, runner } = await aJob(t)
  runner.forges = {}
  await run()
  assert.equal((await read()).error?.code, 'FORGE_NOT_SUPPORTED')
})

test('a review that was committed to before a newer head came is posted, by whoever takes the job next', async (t) => {
  const job = await aJob(t)
  const first = await claimJob(job.db, job.jobId, 'worker-1')
  assert.ok(first)
  const review = {
    base: 'a',
    head: 'b',
    files: { reviewed: 1, changed: 1 },
    findings: [],
    notes: [],
    model: { used: false, reason: 'none' },
  }
  await recordIntent(job.db, first, review, review)
  const { repository } = await job.read()
  const newer = { repository, pullRequest: 'feature', head: 'e'.repeat(40) }
  await recordDeliveries(job.db, [aDelivery({ request: newer, pullRequest: {} })], 0)
  await job.db.query(`update workflow_jobs set lease_until = now() - interval '1 second' where id = $1`, [
    job.jobId,
  ])

  await job.run()
  assert.equal((await job.read()).status, 'COMPLETED')
  assert.equal((await job.read()).review?.head, 'b')
})

test('a worker told to stop while it claims hands the job back at once', async (t) => {
  const job = await aJob(t)
  job.runner.stopping = AbortSignal.abort()
  await job.run()
  const { status, attempts } = await job.read()
  assert.deepEqual([status, attempts], ['PENDING', 0])
})

test('a failure whose message no database could store is recorded all the same', async (t) => {
  const model = aModel(async () => {
    throw new KodusError('MODEL_BROKEN', 'half a pair: \ud800, and a NUL: \0', { help: 'repair it' })
  })
  const { run, read } = await aJob(t, { model })
  await run()
  assert.equal((await read()).status, 'FAILED')
  assert.equal((await read()).error?.code, 'MODEL_BROKEN')
})
