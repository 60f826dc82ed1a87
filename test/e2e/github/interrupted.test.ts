import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { call } from '../../github/call.ts'
import { type FaultHandle, githubDescription, type PullRequest } from '../../github/server.ts'
import { assertWhole, ended, newestJob, open } from './setbacks.ts'
import { type Stack, startStack, until } from './stack.ts'

const skip = await githubDescription()
const timeout = 180_000

const SUBMIT = { method: 'POST', path: /\/reviews\/\d+\/events$/ }
const LAPSED = 'its worker stopped renewing the lease'

for (const late of [true, false]) {
  const reached = late ? 'which GitHub gets to do only after the other has begun' : 'which GitHub has done'
  test(`a worker is killed while it submits, ${reached}: another sees to it that there is one review`, {
    skip,
    timeout,
  }, async (t: TestContext) => {
    const stack = await startStack(t)
    const { github } = stack
    const submitting = github.fail({ ...SUBMIT, with: { hold: late ? 'before' : 'after' } })
    const reached = submitting.next()
    const pull = open(stack, 'octo/killed')
    await reached
    await until(() => pull.reviews()[0]?.state === (late ? 'PENDING' : 'COMMENTED'))
    const [first] = pull.reviews()
    await stack.worker.kill()

    await takeOver(stack, 'octo/killed')
    const job = await ended(stack, 'octo/killed', alreadyTold)
    submitting.release()
    assert.deepEqual([job.status, job.attempts, job.failures], ['COMPLETED', 1, [LAPSED]])
    // Whatever GitHub makes of it is done when it has answered somebody else.
    await call(github, github.createInstallationToken('octo'), 'GET /repos/octo/killed/pulls/1/reviews')
    await assertWhole(pull)
    assert.equal(pull.reviews()[0].id === first.id, !late, 'the one that was submitted is adopted')
  })
}

test('a worker is frozen between its last question and submitting: woken, it can write nothing', {
  skip,
  timeout,
}, async (t: TestContext) => {
  const stack = await startStack(t)
  const { github, worker, db } = stack
  const creating = github.fail({ method: 'POST', path: /\/pulls\/1\/reviews$/, with: { hold: 'after' } })
  const pull = await heldPullRequest(stack, creating)
  await until(() => pull.reviews().length === 1)
  const [frozenReview] = pull.reviews()

  // Its last question before it submits is answered while it is frozen.
  const { id } = await newestJob(stack, 'octo/frozen')
  const lock = await db.connect()
  await lock.query('begin')
  await lock.query('select from workflow_jobs where id = $1 for update', [id])
  const { rows } = await lock.query('select clock_timestamp() as now')
  creating.release()
  await until(async () => (await renewalsThatWait(stack, rows[0].now)) > 0)
  worker.signal('SIGSTOP')
  await lock.query('commit')
  lock.release()
  await until(async () => (await renewalsThatWait(stack, rows[0].now)) === 0)

  await takeOver(stack, 'octo/frozen')
  const job = await ended(stack, 'octo/frozen', alreadyTold)
  await assertWhole(pull)
  const [posted] = pull.reviews()
  assert.notEqual(posted.id, frozenReview.id)

  worker.signal('SIGCONT')
  await worker.line(({ jobId, code }) => jobId === id && code === 'LEASE_LOST')
  const submits = github.requests.filter(({ method, path }) => isSubmit(method, path))
  const late = submits.filter(({ path }) => path.includes(`/${frozenReview.id}/`))
  // None where a renewal has told it first.
  assert.ok(late.every(({ status }) => status !== 200))
  await assertWhole(pull)
  assert.deepEqual([job.status, job.failures], ['COMPLETED', [LAPSED]])
  const { rows: kept } = await db.query('select url from reviews where job_id = $1', [id])
  assert.deepEqual(kept, [{ url: posted.html_url }])
})

/** What a lapsed lease makes wait is told to nobody. */
const alreadyTold = () => Number.POSITIVE_INFINITY

async function heldPullRequest(stack: Stack, fault: FaultHandle): Promise<PullRequest> {
  const reached = fault.next()
  const pull = open(stack, 'octo/frozen')
  await reached
  return pull
}

/** Lets the lease of a worker that cannot renew it lapse, and starts another. */
async function takeOver(stack: Stack, repository: string): Promise<void> {
  const { id } = await newestJob(stack, repository)
  await stack.db.query(
    `update workflow_jobs set lease_until = now() - interval '1 s', due_at = now() - interval '1 s' where id = $1`,
    [id],
  )
  await stack.startWorker()
}

/** Renewals of leases that began since, and wait for a lock. */
async function renewalsThatWait({ db }: Stack, since: Date): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity where datname = current_database()
     and wait_event_type = 'Lock' and query like '%lease_until%' and query_start >= $1`,
    [since],
  )
  return rows[0]?.count ?? 0
}

function isSubmit(method: string, path: string): boolean {
  return method === SUBMIT.method && SUBMIT.path.test(path)
}
