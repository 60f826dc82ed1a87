import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createGitHubDeliveryLog } from '../../src/forges/github/deliveries.ts'
import { sweepDeliveries } from '../../src/jobs/sweep-deliveries.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { getJob } from '../../src/store/get-job.ts'
import { liftStop } from '../../src/store/lift-stop.ts'
import { putStop } from '../../src/store/put-stop.ts'
import { gatePosting } from '../../src/worker/gate-posting.ts'
import { createClient } from '../forges/github/posting.ts'
import { type GitHub, githubDescription } from '../github/server.ts'
import { createDatabase } from '../support/database.ts'
import { aModel, FLAWED, startGitHubWorker } from './github-worker.ts'

const skip = await githubDescription()

const CREATE = { method: 'POST', path: /\/pulls\/\d+\/reviews$/ }
const SUBMIT = { method: 'POST', path: /\/reviews\/\d+\/events$/ }

/** A pull request with something to say about, and a worker that heeds stops. */
async function aPullRequest(t: TestContext) {
  let asked = 0
  const model = aModel(async () => {
    asked += 1
    return { findings: [] }
  })
  const worker = await startGitHubWorker(t, { model })
  const { db, runner, shop, github } = worker
  runner.forges = gatePosting(runner.forges, db)
  shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  return {
    ...worker,
    pull,
    asked: () => asked,
    stop: () => putStop(db, { name: 'posting', reason: 'GitHub moves', actor: 'mona' }),
    resume: () => liftStop(db, 'posting'),
    written: () => writes(github),
    attempts: async () => (await worker.jobs()).map(({ status, attempts }) => [status, attempts]),
  }
}

/** What was asked of GitHub that changes anything there. */
function writes({ requests }: GitHub): string[] {
  return requests
    .filter(({ method, path, operation }) => {
      if (path === '/graphql') return /^(Add|Resolve|Unresolve|Update|Delete)/i.test(operation ?? '')
      return method !== 'GET' && !path.endsWith('/access_tokens') && !path.includes('.git/')
    })
    .map(({ method, path, operation }) => operation ?? `${method} ${path}`)
}

test('a review that is ready while posting is stopped waits: nothing is written, nothing is paid for twice', {
  skip,
}, async (t) => {
  const { stop, resume, receive, run, pull, written, attempts, jobs, lastReason, makeDue, asked } =
    await aPullRequest(t)
  await receive()
  await stop()
  await run()
  await makeDue()
  await run()
  assert.deepEqual(written(), [])
  assert.deepEqual(await attempts(), [['PENDING', 0]])
  const [job] = await jobs()
  assert.equal(await lastReason(job?.id ?? ''), 'POSTING_STOPPED: posting was stopped by mona: GitHub moves')

  await resume()
  await run()
  assert.deepEqual(await attempts(), [['COMPLETED', 1]])
  assert.equal(pull.reviews().length, 1)
  assert.equal(asked(), 1)
})

test('a stop that comes between intent and submit keeps the review from being submitted', {
  skip,
}, async (t) => {
  const { github, stop, resume, receive, run, pull, written, attempts } = await aPullRequest(t)
  await receive()
  const creating = github.fail({ ...CREATE, with: { hold: 'after' } })
  const reached = creating.next()
  const running = run()
  await reached
  await stop()
  const before = written()
  creating.release()
  await running
  assert.deepEqual(written(), before, 'not even to clean up')
  assert.deepEqual(
    pull.reviews().map(({ state }) => state),
    ['PENDING'],
  )
  assert.deepEqual(await attempts(), [['PENDING', 0]])

  await resume()
  await run()
  assert.deepEqual(await attempts(), [['COMPLETED', 1]])
  assert.deepEqual(
    pull.reviews().map(({ state }) => state),
    ['COMMENTED'],
  )
})

test('a stop that comes while the review is submitted lets that arrive, and what follows waits', {
  skip,
}, async (t) => {
  const { github, stop, resume, receive, run, pull, attempts } = await aPullRequest(t)
  await receive()
  const submitting = github.fail({ ...SUBMIT, with: { hold: 'after' } })
  const reached = submitting.next()
  const running = run()
  await reached
  await stop()
  submitting.release()
  await running
  assert.deepEqual(await attempts(), [['PENDING', 0]])
  assert.deepEqual([pull.reviews().length, pull.comments().length], [1, 0])

  await resume()
  await run()
  assert.deepEqual(await attempts(), [['COMPLETED', 1]])
  assert.deepEqual([pull.reviews().length, pull.comments().length], [1, 1])
})

test('a post that takes long learns of a stop by itself', { skip }, async (t) => {
  const { github, stop, receive, run, attempts } = await aPullRequest(t)
  await receive()
  const creating = github.fail({ ...CREATE, with: { hold: 'after' } })
  const reached = creating.next()
  const running = run()
  await reached
  await stop()
  // GitHub never answers: only looking at the stop now and then ends this.
  await running
  assert.deepEqual(await attempts(), [['PENDING', 0]])
  creating.release()
})

test('a command is answered when posting goes on, once', { skip }, async (t) => {
  const { stop, resume, receive, run, pull, written, outcomes } = await aPullRequest(t)
  await receive(() => [])
  pull.comment('mona', '@kody help')
  await receive()
  await stop()
  await run()
  assert.deepEqual([written(), await outcomes()], [[], ['command PENDING']])

  await resume()
  await run()
  assert.deepEqual(await outcomes(), ['command COMPLETED'])
  assert.equal(pull.comments().filter(({ body }) => body.includes('kodus:answer')).length, 1)
})

test('an end without a review is shown when posting goes on', { skip }, async (t) => {
  const { shop, stop, resume, receive, run, written, attempts } = await aPullRequest(t)
  await receive(() => [])
  shop.commit('draft', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'draft', author: 'mona', draft: true })
  await receive()
  await stop()
  await run()
  assert.deepEqual([written(), await attempts()], [[], [['PENDING', 0]]])

  await resume()
  await run()
  assert.deepEqual(await attempts(), [['COMPLETED', 1]])
  assert.deepEqual(
    shop.checkRuns(pull.head()).map(({ conclusion }) => conclusion),
    ['neutral'],
  )
})

test('a job that fails while posting is stopped fails all the same, and says nothing at the forge meanwhile', {
  skip,
}, async (t) => {
  const { stop, receive, run, written, jobs, db, runner } = await aPullRequest(t)
  runner.model = aModel(async () => {
    throw new KodusError('MODEL_UNAUTHORIZED', 'The key was refused.', { help: 'Set another.' })
  })
  await receive()
  await stop()
  await run()
  const [job] = await jobs()
  assert.equal((await getJob(db, job?.id ?? ''))?.error?.code, 'MODEL_UNAUTHORIZED')
  assert.deepEqual(written(), [])
})

test('no delivery is asked for again while posting is stopped, and afterwards it is', { skip }, async (t) => {
  const { github, pull, db, stop, resume } = await aPullRequest(t)
  github.webhooks.deliverTo('http://127.0.0.1:9/webhooks/github')
  pull.comment('mona', '@kody help')
  await github.webhooks.settled()
  const log = createGitHubDeliveryLog({ client: createClient(github), repositories: [] })
  const sweep = () => sweepDeliveries({ db, forge: 'github', log }, AbortSignal.timeout(60_000))
  await stop()
  const stopped = await sweep()
  assert.deepEqual([stopped.asked.length, stopped.interrupted?.code], [0, 'POSTING_STOPPED'])
  assert.equal(stopped.found > 0, true)
  assert.deepEqual(writes(github), [])

  await resume()
  assert.equal((await sweep()).asked.length, stopped.found)
  await github.webhooks.settled()
})

test('when nobody can tell whether posting is stopped, nothing is posted, and it is no fault of the job', async (t) => {
  const { pool } = await createDatabase(t)
  const refused = new KodusError('UNEXPECTED', 'posted', { help: '' })
  const forges = gatePosting(
    {
      git: {
        reader: { open: () => Promise.reject(refused) },
        poster: { post: () => Promise.reject(refused) },
      },
    },
    { query: () => pool.query('select pg_terminate_backend(pg_backend_pid())') },
  )
  const posting = forges.git?.poster.post(
    {} as never,
    {} as never,
    async () => true,
    new AbortController().signal,
  )
  await assert.rejects(async () => posting, { code: 'DATABASE_UNAVAILABLE' })
})
