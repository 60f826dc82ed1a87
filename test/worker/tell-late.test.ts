import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import { liftStop } from '../../src/store/lift-stop.ts'
import { putStop } from '../../src/store/put-stop.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { gatePosting } from '../../src/worker/gate-posting.ts'
import { recordFailure } from '../../src/worker/record-failure.ts'
import { tellInTurn, tellUntold } from '../../src/worker/tell-late.ts'
import { githubDescription } from '../github/server.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { aModel, FLAWED, startGitHubWorker } from './github-worker.ts'

const skip = await githubDescription()

const OUTAGE = new KodusError('MODEL_UNAVAILABLE', 'no answer', {
  help: 'wait',
  retryability: 'transient',
  retryAfterMs: 600_000,
})
const REFUSAL = new KodusError('MODEL_UNAUTHORIZED', 'The key was refused.', { help: 'Set another.' })
const BY_API = { actor: 'api', reason: 'cancelled over the API' }

/** A pull request whose review fails of `failure` while it has a value, and a worker that tells late. */
async function aPullRequest(t: TestContext, { token = false } = {}) {
  const model: { fails: KodusError | undefined; asked(): Promise<void> | void } = {
    fails: undefined,
    asked: () => {},
  }
  const worker = await startGitHubWorker(t, {
    token,
    model: aModel(async () => {
      await model.asked()
      if (model.fails) throw model.fails
      return { findings: [] }
    }),
  })
  const { db, runner, shop, github } = worker
  runner.forges = gatePosting(runner.forges, db)
  shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  return {
    ...worker,
    model,
    pull,
    /** The titles of the check runs of a commit, newest first, and whether each has ended. */
    checks: (head = pull.head()) =>
      shop.checkRuns(head).map(({ status, output }) => `${output.title}: ${status}`),
    /** What a worker finds when it looks, and tells. */
    late: () => tellUntold({ db, forges: runner.forges, log: silentLog }),
    untold: async () => (await db.query('select from untold_jobs')).rowCount,
    /** As if nobody had told in the time that it takes. */
    passGrace: () => db.query(`update untold_jobs set tell_at = now()`),
    /** What changed check runs, or a comment. */
    shown: () =>
      github.requests.filter(
        ({ method, path }) => method !== 'GET' && /\/check-runs|\/issues\/\d+\/comments/.test(path),
      ).length,
    /** The one job, claimed by a worker that then does nothing more with it. */
    claim: async () => {
      const choice = { types: ['code-review'], limits: NO_LIMITS, count: 1, withSuspect: true }
      const [job] = await claimJobs(db, 'worker-2', choice)
      assert.ok(job)
      return job
    },
    cancel: async () => {
      for (const { id } of await worker.jobs()) await transitionJob(db, 'cancel', { jobId: id, ...BY_API })
    },
    stopPosting: () => putStop(db, { name: 'posting', reason: null, actor: 'mona' }),
    resumePosting: () => liftStop(db, 'posting'),
  }
}

test('a job that is cancelled while it waits to be tried again is shown as cancelled, once', {
  skip,
}, async (t) => {
  const { model, receive, run, checks, cancel, late, shown, untold } = await aPullRequest(t)
  model.fails = OUTAGE
  await receive()
  await run()
  assert.deepEqual(checks(), ['Waiting: in_progress'])
  await cancel()
  await late()
  assert.deepEqual(checks(), ['Cancelled: completed'])
  const before = shown()
  await late()
  assert.deepEqual([shown(), await untold()], [before, 0])
})

test('a job that is cancelled before a worker ever took it is shown nowhere', { skip }, async (t) => {
  const { receive, cancel, late, checks, untold, outcomes } = await aPullRequest(t)
  await receive()
  await cancel()
  assert.deepEqual([await outcomes(), await untold()], [['code-review CANCELLED'], 0])
  await late()
  assert.deepEqual(checks(), [])
})

test('what a worker recorded and died before it showed, another shows, once the first has had its time', {
  skip,
}, async (t) => {
  const worker = await aPullRequest(t)
  const { db, receive, claim, checks, late, passGrace, shown, untold } = worker
  await receive()
  const attempt = { db, job: await claim(), worker: 'worker-2', maxAttempts: 1, log: silentLog }
  await recordFailure(attempt, new AbortController().signal, REFUSAL)
  await late()
  assert.deepEqual(checks(), [], 'it may be about to tell')

  await passGrace()
  await Promise.all([late(), late(), late()])
  assert.deepEqual(checks(), ['Not reviewed: The key was refused.: completed'])
  assert.deepEqual([shown(), await untold()], [1, 0])
})

test('what a worker shows in time is not shown again: a retry, a failure, an end without a review, a review', {
  skip,
}, async (t) => {
  const worker = await aPullRequest(t)
  const { model, shop, receive, run, makeDue, late, passGrace, shown, untold, outcomes } = worker
  model.fails = OUTAGE
  await receive()
  await run()
  assert.equal(await untold(), 0)
  model.fails = undefined
  await makeDue()
  await run()
  shop.commit('failing', FLAWED, { by: 'mona' })
  shop.openPullRequest({ head: 'failing', author: 'mona' })
  await receive()
  model.fails = REFUSAL
  await run()
  shop.commit('draft', FLAWED, { by: 'mona' })
  shop.openPullRequest({ head: 'draft', author: 'mona', draft: true })
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review COMPLETED', 'code-review FAILED', 'code-review COMPLETED'])
  const before = shown()
  await passGrace()
  await late()
  assert.deepEqual([shown(), await untold()], [before, 0])
})

test('a review that is cancelled or overtaken while it runs is shown so by its own worker, and not again', {
  skip,
}, async (t) => {
  const { model, pull, receive, run, cancel, checks, outcomes, untold } = await aPullRequest(t)
  const first = pull.head()
  model.asked = async () => {
    if (pull.head() !== first) return cancel()
    pull.push({ 'a.py': 'x = 1\n' }, { by: 'mona' })
    await receive()
  }
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review SUPERSEDED', 'code-review CANCELLED'])
  assert.deepEqual([checks(first), checks()], [['Superseded: completed'], ['Cancelled: completed']])
  assert.equal(await untold(), 0)
})

test('a review that is cancelled in the hands of a worker that is gone is shown as cancelled', {
  skip,
}, async (t) => {
  const { model, receive, run, claim, makeDue, cancel, checks, late, passGrace } = await aPullRequest(t)
  model.fails = OUTAGE
  await receive()
  await run()
  await makeDue()
  await claim()
  await cancel()
  await late()
  assert.deepEqual(checks(), ['Waiting: in_progress'], 'its worker may be about to tell')
  await passGrace()
  await late()
  assert.deepEqual(checks(), ['Cancelled: completed'])
})

test('an end without a review that was not shown is shown in the same words', { skip }, async (t) => {
  const told = await aPullRequest(t)
  const untold = await aPullRequest(t)
  const summaries: unknown[] = []
  for (const { shop, receive, run, runner, stopPosting, resumePosting, late, passGrace, ...worker } of [
    told,
    untold,
  ]) {
    await receive(() => [])
    shop.commit('draft', FLAWED, { by: 'mona' })
    const pull = shop.openPullRequest({ head: 'draft', author: 'mona', draft: true })
    await receive()
    if (worker.untold === untold.untold) {
      const { complete } = runner
      runner.complete = async (move) => complete(move).finally(stopPosting)
    }
    await run()
    await resumePosting()
    await passGrace()
    await late()
    const [check, ...others] = shop.checkRuns(pull.head())
    summaries.push([check?.status, check?.conclusion, check?.output.title, check?.output.summary, others])
  }
  assert.deepEqual(summaries[0], summaries[1])
  assert.equal((summaries[0] as unknown[])[0], 'completed')
})

test('while posting is stopped nothing is told, and afterwards it is', { skip }, async (t) => {
  const worker = await aPullRequest(t)
  const { model, receive, run, checks, late, passGrace, stopPosting, resumePosting, shown } = worker
  model.fails = REFUSAL
  await receive()
  model.asked = async () => {
    await stopPosting()
  }
  await run()
  await passGrace()
  const before = shown()
  await late()
  assert.equal(shown(), before)
  assert.match(checks()[0] ?? '', /: in_progress$/)

  await resumePosting()
  await late()
  assert.deepEqual(checks(), ['Not reviewed: The key was refused.: completed'])
})

test('a stop that comes as it is told is a reason to tell it later, for a day and one more time', {
  skip,
}, async (t) => {
  const { db, model, runner, receive, run, cancel, late, passGrace, untold, ...worker } =
    await aPullRequest(t)
  model.fails = OUTAGE
  await receive()
  await run()
  await cancel()
  const { status } = runner.forges.github ?? {}
  assert.ok(runner.forges.github && status)
  const shows = status.show
  status.show = async (...shown) => {
    await worker.stopPosting()
    await shows(...shown)
  }
  for (const since of ['23 hours', '25 hours']) {
    assert.equal(await untold(), 1)
    await worker.resumePosting()
    await passGrace()
    await db.query(`update untold_jobs set since = now() - $1::interval`, [since])
    await late()
  }
  assert.equal(await untold(), 0)
})

test('a job that runs again, or soon will, is not shown as waiting', { skip }, async (t) => {
  const { db, receive, claim, makeDue, late, passGrace, shown, untold } = await aPullRequest(t)
  await receive()
  for (const waits of ['soon', 'over'] as const) {
    await makeDue()
    const attempt = { db, job: await claim(), worker: 'worker-2', maxAttempts: 9, log: silentLog }
    await recordFailure(attempt, new AbortController().signal, OUTAGE)
    await makeDue()
    if (waits === 'over') await claim()
    await passGrace()
    assert.equal(await untold(), 1)
    await late()
    assert.deepEqual([shown(), await untold()], [0, 0], waits)
  }
})

test('a failure that may pass, and was not shown, is shown as waiting', { skip }, async (t) => {
  const { db, receive, claim, checks, late, passGrace } = await aPullRequest(t)
  await receive()
  const attempt = { db, job: await claim(), worker: 'worker-2', maxAttempts: 9, log: silentLog }
  await recordFailure(attempt, new AbortController().signal, OUTAGE)
  await passGrace()
  await late()
  assert.deepEqual(checks(), ['Waiting: in_progress'])
})

test('a run that is replayed before its end was told leaves no check run that waits', { skip }, async (t) => {
  const { db, model, receive, run, jobs, cancel, checks, late, makeDue } = await aPullRequest(t)
  model.fails = OUTAGE
  await receive()
  await run()
  await cancel()
  const [job] = await jobs()
  assert.ok(await transitionJob(db, 'replay', { jobId: job?.id ?? '', actor: 'api', reason: 'replayed' }))
  await makeDue()
  await run()
  assert.deepEqual(checks(), ['Waiting: in_progress', 'Waiting: in_progress'])
  await late()
  assert.deepEqual(checks(), ['Waiting: in_progress', 'Begun anew: completed'])
})

test('a failure of a commit that another job has reviewed since makes no check run that would hide the verdict', {
  skip,
}, async (t) => {
  const { db, receive, run, claim, checks, late, passGrace, untold } = await aPullRequest(t)
  const [first] = await receive()
  assert.ok(first?.request)
  const attempt = { db, job: await claim(), worker: 'worker-2', maxAttempts: 1, log: silentLog }
  await recordFailure(attempt, new AbortController().signal, REFUSAL)
  await receive(() => [
    { ...first, deliveryId: 'again', jobId: crypto.randomUUID(), digest: 'ab'.repeat(32) },
  ])
  await run()
  const before = checks()
  assert.deepEqual([before.length, await untold()], [1, 1])
  await passGrace()
  await late()
  assert.deepEqual([checks(), await untold()], [before, 0])
})

test('a failure is not put above the summary of a review that came after it', { skip }, async (t) => {
  const { db, pull, receive, run, claim, late, passGrace, untold } = await aPullRequest(t, { token: true })
  await receive()
  const job = await claim()
  await recordProgress(db, job, 'analyse', 50)
  const attempt = { db, job, worker: 'worker-2', maxAttempts: 1, log: silentLog }
  await recordFailure(attempt, new AbortController().signal, REFUSAL)
  pull.push({ 'b.py': 'def b(x=[]):\n    return x\n' }, { by: 'mona' })
  await receive()
  await run()
  const [before] = pull.comments()
  assert.ok(before)
  await passGrace()
  await late()
  assert.deepEqual([pull.comments()[0]?.body, await untold()], [before.body, 0])
})

test('what GitHub did not take when it was told is shown once it does', { skip }, async (t) => {
  const { github, model, receive, run, cancel, checks, late, passGrace, untold } = await aPullRequest(t)
  model.fails = OUTAGE
  await receive()
  await run()
  await cancel()
  github.fail({ path: /check-runs/, times: Number.POSITIVE_INFINITY, with: { status: 502 } })
  await late()
  assert.deepEqual([checks(), await untold()], [['Waiting: in_progress'], 1])
  github.recover()
  await late()
  assert.deepEqual(checks(), ['Waiting: in_progress'], 'a minute later')
  await passGrace()
  await late()
  assert.deepEqual([checks(), await untold()], [['Cancelled: completed'], 0])
})

test('a failure whose worker does not reach GitHub is shown by another', { skip }, async (t) => {
  const { github, model, receive, run, checks, late, passGrace, untold } = await aPullRequest(t)
  model.fails = REFUSAL
  const times = Number.POSITIVE_INFINITY
  github.fail({ method: 'PATCH', path: /check-runs/, times, with: { cut: 'before' } })
  await receive()
  await run()
  assert.match(checks()[0] ?? '', /: in_progress$/)
  assert.equal(await untold(), 1)
  github.recover()
  await passGrace()
  await late()
  assert.deepEqual([checks(), await untold()], [['Not reviewed: The key was refused.: completed'], 0])
})

test('what GitHub refuses for good is not tried again', { skip }, async (t) => {
  const { github, model, receive, run, untold } = await aPullRequest(t)
  model.fails = REFUSAL
  github.fail({ path: /check-runs/, times: Number.POSITIVE_INFINITY, with: { permission: 'checks=write' } })
  await receive()
  await run()
  assert.equal(await untold(), 0)
})

test('however many workers there are, they tell of five at a time', { skip }, async (t) => {
  const { db, runner, receive, run, jobs, passGrace, untold } = await aPullRequest(t)
  await receive()
  await run()
  const [job] = await jobs()
  await db.query(
    `insert into untold_jobs (job_id, run, fence, tell_at) select $1, n, 0, now() from generate_series(10, 21) n`,
    [job?.id],
  )
  await passGrace()
  const telling = { db, forges: runner.forges, log: silentLog }
  await Promise.all([tellInTurn(telling), tellInTurn(telling), tellInTurn(telling)])
  assert.equal(await untold(), 7)
})
