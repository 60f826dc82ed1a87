import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RENEW_EVERY_MS } from '../../src/jobs/job.ts'
import { whenReached } from '../../src/lib/moments.ts'
import { runJob } from '../../src/worker/run-job.ts'
import { githubDescription } from '../github/server.ts'
import { claimJob } from '../support/claim-job.ts'
import { aModel, FLAWED, startGitHubWorker } from './github-worker.ts'

const skip = await githubDescription()

for (const { what, how, status, reason } of [
  {
    what: 'pushed to',
    how: 'push',
    status: 'SUPERSEDED',
    reason: /^SUPERSEDED: The pull request has moved on/,
  },
  { what: 'closed', how: 'close', status: 'CANCELLED', reason: /^PULL_REQUEST_CLOSED: .* is closed\.$/ },
] as const) {
  test(`a pull request that is ${what} between the last check and the intent ends the attempt at once`, {
    skip,
  }, async (t) => {
    // Nothing renews the lease here: what ends the attempt is the intent that it is refused.
    const worker = await startGitHubWorker(t, {
      model: aModel(async () => {
        if (how === 'push') pull.push({ 'b.py': 'b = 1\n' }, { by: 'mona' })
        else pull.close('mona')
        await worker.receive()
        return { findings: [] }
      }),
    })
    const { shop, db, receive, runner, read, lastReason } = worker
    shop.commit('feature', FLAWED, { by: 'mona' })
    const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
    const [opened] = await receive()
    const job = await claimJob(db, opened?.jobId ?? '', runner.worker)
    assert.ok(job)
    await runJob(job, runner)
    assert.equal((await read(job.id))?.status, status)
    assert.match((await lastReason(job.id)) ?? '', reason)
    assert.deepEqual([pull.reviews(), (await db.query('select from reviews')).rowCount], [[], 0])
  })
}

test('an attempt that is told to end as it commits to posting leaves the review to the next one, at once', {
  skip,
}, async (t) => {
  const asked = gate()
  const answered = gate()
  const worker = await startGitHubWorker(t, {
    model: aModel(async () => {
      asked.open()
      await answered.wait
      return { findings: [] }
    }),
  })
  const { shop, db, receive, run, runner, read, outcomes } = worker
  const first = shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const [opened] = await receive()
  const job = await claimJob(db, opened?.jobId ?? '', runner.worker)
  assert.ok(job)

  t.mock.timers.enable({ apis: ['setInterval'] })
  const running = runJob(job, runner)
  await asked.wait
  pull.push({ 'b.py': 'b = 1\n' }, { by: 'mona' })
  await receive()

  // The renewal finds that the review is superseded, and is held up before it can say so.
  const verdict = holdSecond(db, 'select p.head, p.state from workflow_jobs')
  t.mock.timers.tick(RENEW_EVERY_MS)
  await verdict.held
  pull.resetTo(first, 'mona')
  await receive()
  whenReached('intent-committed', () => verdict.letGo())
  answered.open()
  await running

  const { rows } = await db.query(
    'select status, attempts, due_at <= now() as due, intended_run from workflow_jobs where id = $1',
    [job.id],
  )
  assert.deepEqual(rows, [{ status: 'PENDING', attempts: 0, due: true, intended_run: 1 }])
  await run()
  assert.equal((await read(job.id))?.status, 'COMPLETED')
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [first],
  )
  assert.equal((await outcomes()).filter((outcome) => /PROCESSING|PENDING/.test(outcome)).length, 0)
})

/** Holds the answer to the second of these queries until it is let go. */
function holdSecond(db: { query: unknown }, words: string) {
  const held = gate()
  const letGo = gate()
  const query = (db.query as (...args: unknown[]) => Promise<unknown>).bind(db)
  let count = 0
  db.query = async (sql: string, values?: unknown[]) => {
    const result = await query(sql, values)
    if (sql.includes(words)) count += 1
    if (sql.includes(words) && count === 2) {
      held.open()
      await letGo.wait
    }
    return result
  }
  return { held: held.wait, letGo: letGo.open }
}

function gate(): { wait: Promise<void>; open: () => void } {
  let open = () => {}
  const wait = new Promise<void>((resolve) => {
    open = resolve
  })
  return { wait, open }
}
