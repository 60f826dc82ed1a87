import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JOB_TYPES } from '../../src/jobs/job-types.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { runJob } from '../../src/worker/run-job.ts'
import { githubDescription } from '../github/server.ts'
import { claimJob } from '../support/claim-job.ts'
import { aModel, FLAWED, startGitHubWorker } from './github-worker.ts'

const skip = await githubDescription()

async function aPullRequest(t: Parameters<typeof startGitHubWorker>[0], options = {}) {
  const worker = await startGitHubWorker(t, options)
  worker.shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = worker.shop.openPullRequest({ head: 'feature', author: 'mona' })
  const check = () => worker.shop.checkRuns(pull.head())[0]
  return { ...worker, pull, check }
}

test('two pushes of one second that arrive in the wrong order: the newest is reviewed, the other is not', {
  skip,
}, async (t) => {
  const { github, pull, receive, run, jobs, outcomes } = await aPullRequest(t)
  await receive(() => [])
  github.clock.freeze()
  const older = pull.push({ 'a.py': 'def a(x=[]):\n    return x\n' }, { by: 'mona' })
  const newer = pull.push({ 'b.py': 'def b(x=[]):\n    return x\n' }, { by: 'mona' })
  await receive((deliveries) => deliveries.toReversed())
  await run()

  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [newer],
  )
  const reviewed = (await jobs()).filter(({ status }) => status === 'COMPLETED')
  assert.deepEqual(
    reviewed.map((job) => job.type === 'code-review' && [job.payload.head, job.payload.action]),
    [[newer, 'synchronize']],
  )
  assert.deepEqual(
    (await outcomes()).filter((outcome) => outcome !== 'code-review COMPLETED'),
    ['code-review SUPERSEDED'],
  )
  assert.deepEqual(
    pull.reviews().filter(({ commit_id }) => commit_id === older),
    [],
  )
})

test('a stale webhook of the same second, which asks for nothing itself, does not cost the newest head its review', {
  skip,
}, async (t) => {
  const { github, pull, receive, run, db, outcomes } = await aPullRequest(t)
  await receive(() => [])
  github.clock.freeze()
  const older = pull.head()
  const newer = pull.push({ 'b.py': 'def b(x=[]):\n    x.append(1)\n    return x\n' }, { by: 'mona' })
  await receive()
  await db.query('update pull_requests set head = $1', [older])
  await run()
  assert.deepEqual(await outcomes(), ['code-review COMPLETED'])
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [newer],
  )
})

test('a head whose webhook never came is reviewed all the same, once', { skip }, async (t) => {
  const { pull, receive, run, outcomes } = await aPullRequest(t)
  const head = pull.push({ 'a.py': 'def a(x=[]):\n    return x\n' }, { by: 'mona' })
  await receive((deliveries) => deliveries.filter(({ request }) => request?.action === 'opened'))
  await run()
  assert.deepEqual(await outcomes(), ['code-review SUPERSEDED', 'code-review COMPLETED'])
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [head],
  )
})

test('the same push told twice, in different words under different ids, is one review', {
  skip,
}, async (t) => {
  const { pull, receive, run, outcomes, jobs, lastReason, check } = await aPullRequest(t)
  const [first] = await receive()
  assert.ok(first)
  await receive(() => [
    { ...first, deliveryId: 'polled', jobId: crypto.randomUUID(), digest: 'ab'.repeat(32) },
  ])
  await run()
  assert.deepEqual(await outcomes(), ['code-review COMPLETED', 'code-review COMPLETED'])
  assert.match((await lastReason((await jobs())[1]?.id ?? '')) ?? '', /already reviewed/)
  assert.equal(pull.reviews().length, 1)
  assert.deepEqual([check()?.status, check()?.conclusion], ['completed', 'neutral'], 'the verdict stands')
})

test('two workers with the same push at the same time post one review, and both jobs are complete', {
  skip,
}, async (t) => {
  const { runner, pull, receive, outcomes, check } = await aPullRequest(t)
  const [first] = await receive()
  assert.ok(first?.request)
  // Approved by a person, so that the older one does not do for it.
  const request = { ...first.request, approvedBy: 'mona' }
  const second = {
    ...first,
    request,
    deliveryId: 'again',
    jobId: crypto.randomUUID(),
    digest: 'ab'.repeat(32),
  }
  await receive(() => [second])
  await Promise.all(
    [first, second].map(async ({ jobId }) => {
      const job = await claimJob(runner.db, jobId, runner.worker)
      assert.ok(job)
      await runJob(job, runner)
    }),
  )
  assert.deepEqual(await outcomes(), ['code-review COMPLETED', 'code-review COMPLETED'])
  assert.equal(pull.reviews().length, 1)
  assert.deepEqual([check()?.status, check()?.conclusion], ['completed', 'neutral'])
})

test('the check run shows the review while it goes on, and its verdict in the end', { skip }, async (t) => {
  const shown: string[] = []
  const { receive, run, check } = await aPullRequest(t, {
    model: aModel(async () => {
      shown.push(check()?.status)
      return { findings: [] }
    }),
  })
  await receive()
  await run()
  assert.deepEqual(shown, ['in_progress'])
  assert.deepEqual([check()?.status, check()?.conclusion], ['completed', 'neutral'])
})

test('a failure that may pass is shown as waiting, and one that lasts as what it is: never as a success', {
  skip,
}, async (t) => {
  const model = aModel(async () => {
    throw new KodusError('MODEL_UNAVAILABLE', 'no answer', { help: 'wait', retryability: 'transient' })
  })
  const { receive, run, makeDue, check, outcomes } = await aPullRequest(t, { model })
  const { maxAttempts } = JOB_TYPES['code-review']
  await receive()
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    await makeDue()
    await run()
    if (attempt === maxAttempts) break
    assert.equal(check()?.status, 'in_progress')
    assert.match(
      check()?.output.summary,
      /`MODEL_UNAVAILABLE`: no answer[\s\S]*tried again by itself in about (a minute|\d+ minutes)/,
    )
  }
  assert.deepEqual(await outcomes(), ['code-review FAILED'])
  assert.deepEqual([check()?.status, check()?.conclusion], ['completed', 'neutral'])
  assert.match(check()?.output.title, /^Not reviewed: no answer/)
  assert.match(check()?.output.summary, /What to do: wait[\s\S]*`@kody review`/)
})

test('a job that keeps killing its workers is shown as not reviewed', { skip }, async (t) => {
  const { db, receive, run, check } = await aPullRequest(t)
  await receive()
  await db.query('update workflow_jobs set lapses = 6')
  await run()
  assert.equal(check()?.conclusion, 'neutral')
  assert.match(check()?.output.summary, /WORKERS_KEEP_DYING/)
})

test('a review that is cancelled while it runs is shown as cancelled', { skip }, async (t) => {
  const { db, jobs, receive, run, check, outcomes, pull } = await aPullRequest(t, {
    model: aModel(async () => {
      const [job] = await jobs()
      await transitionJob(db, 'cancel', {
        jobId: job?.id ?? '',
        actor: 'api',
        reason: 'cancelled over the API',
      })
      return { findings: [] }
    }),
  })
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review CANCELLED'])
  assert.deepEqual(
    [check()?.status, check()?.conclusion, check()?.output.title],
    ['completed', 'neutral', 'Cancelled'],
  )
  assert.equal(pull.reviews().length, 0)
})

test('a review that a newer head overtakes is shown as superseded', { skip }, async (t) => {
  const { receive, run, shop, pull } = await aPullRequest(t, {
    model: aModel(async () => {
      if (pull.head() !== first) return { findings: [] }
      pull.push({ 'a.py': 'x = 1\n' }, { by: 'mona' })
      await receive()
      return { findings: [] }
    }),
  })
  const first = pull.head()
  await receive()
  await run()
  const [check] = shop.checkRuns(first)
  assert.deepEqual([check?.conclusion, check?.output.title], ['neutral', 'Superseded'])
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [pull.head()],
  )
})

test('GitHub that takes no check run keeps no review from being posted', { skip }, async (t) => {
  const { github, receive, run, outcomes, pull } = await aPullRequest(t)
  github.fail({ path: /check-runs/, times: Number.POSITIVE_INFINITY, with: { permission: 'checks=write' } })
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review COMPLETED'])
  assert.equal(pull.reviews().length, 1)
})

test('a draft that the repository does not want reviewed is complete, says why, and is shown as such', {
  skip,
}, async (t) => {
  const { shop, receive, run, jobs, lastReason } = await startGitHubWorker(t)
  shop.commit('draft', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'draft', author: 'mona', draft: true })
  await receive()
  await run()
  const [job] = await jobs()
  assert.equal(job?.status, 'COMPLETED')
  assert.match((await lastReason(job?.id ?? '')) ?? '', /draft/)
  assert.equal(pull.reviews().length, 0)
  const [check] = shop.checkRuns(pull.head())
  assert.deepEqual([check?.status, check?.conclusion], ['completed', 'neutral'])
})

test('a review that was half posted when a push came is posted to its end, and the push says nothing of it again', {
  skip,
}, async (t) => {
  const { github, pull, receive, run, makeDue, outcomes } = await aPullRequest(t)
  await receive()
  github.fail({ method: 'POST', path: /\/issues\/\d+\/comments$/, times: 2, with: { status: 502 } })
  await run()
  assert.equal(pull.reviews().length, 1)
  assert.deepEqual(await outcomes(), ['code-review RETRYING'])

  github.recover()
  pull.push({ 'b.py': 'def b(x=[]):\n    return x\n' }, { by: 'mona' })
  await receive()
  await makeDue()
  await run()
  assert.deepEqual(await outcomes(), ['code-review COMPLETED', 'code-review COMPLETED'])
  assert.deepEqual(
    pull.reviewComments().map((comment) => comment.path),
    ['orders.py', 'b.py'],
  )
  const [summary] = pull.comments()
  assert.ok(summary.body.includes(`..${pull.head().slice(0, 7)}`), 'the summary is of the newest review')
})
