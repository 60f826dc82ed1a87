import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createGitHubEventSource } from '../../src/forges/github/events.ts'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import { silentLog } from '../../src/lib/log.ts'
import { pollForge } from '../../src/worker/poll-forge.ts'
import { createClient } from '../forges/github/posting.ts'
import { githubDescription } from '../github/description.ts'
import { startGitHub } from '../github/server.ts'
import { createDatabase } from '../support/database.ts'

const skip = await githubDescription()

async function startPolled(t: TestContext, repositories = ['octo/shop']) {
  const { pool } = await createDatabase(t)
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  const queue = createPostgresQueue({ pool, log: silentLog })
  t.after(() => queue.close())
  const events = createGitHubEventSource({ client: createClient(github), config: { repositories } })
  /** One whole turn at each repository, by a worker that is then stopped. */
  const poll = async () => {
    await pool.query('delete from turns')
    const last = repositories.at(-1) ?? ''
    const asked = new Promise<void>((resolve) => {
      const watched: typeof events = {
        ...events,
        async happenedSince(repository, ...rest) {
          try {
            return await events.happenedSince(repository, ...rest)
          } finally {
            if (repository === last) resolve()
          }
        },
      }
      running = pollForge('github', watched, { db: pool, queue, log: silentLog, everySeconds: 3600 })
    })
    await asked
    await running?.stop()
  }
  let running: ReturnType<typeof pollForge> | undefined
  const jobs = async () => {
    const { rows } = await pool.query(
      `select id, status, type, payload ->> 'head' as head from workflow_jobs order by created_at, type`,
    )
    return rows
  }
  return { pool, github, shop, poll, jobs }
}

test('what happened becomes a job, once, however often it is seen', { skip }, async (t) => {
  const { pool, github, shop, poll, jobs } = await startPolled(t)
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  pull.comment('mona', '@kody help')
  await poll()
  await poll()
  assert.deepEqual(
    (await jobs()).map(({ type, status, head }) => [type, status, head]),
    [
      ['code-review', 'PENDING', pull.head()],
      ['command', 'PENDING', null],
    ],
  )
  const { rows } = await pool.query('select head, state from pull_requests')
  assert.deepEqual(rows, [{ head: pull.head(), state: 'open' }])

  github.clock.advance(1_000)
  pull.push({ 'a.ts': 'let a = 3\n' })
  pull.close()
  await poll()
  assert.deepEqual((await pool.query('select head, state from pull_requests')).rows, [
    { head: pull.head(), state: 'closed' },
  ])
  assert.equal((await jobs()).length, 2, 'a closed one is not reviewed')
})

test('a job that failed is not run again because its pull request was touched', { skip }, async (t) => {
  const { pool, shop, poll, jobs } = await startPolled(t)
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  await poll()
  await pool.query(`update workflow_jobs set status = 'FAILED', due_at = null`)
  pull.comment('octo', 'The review failed, says its reviewer.')
  await poll()
  assert.deepEqual(
    (await jobs()).map(({ status }) => status),
    ['FAILED'],
  )
})

test('a head that was reviewed last asks for nothing; forced back to after another review, it asks again', {
  skip,
}, async (t) => {
  const { pool, github, shop, poll, jobs } = await startPolled(t)
  await poll()
  const first = shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const review = async (head: string) => {
    github.clock.advance(1_000)
    await poll()
    const job = (await jobs()).findLast((one) => one.head === head)
    await pool.query(
      `with job as (update workflow_jobs set status = 'COMPLETED', due_at = null where id = $1)
       insert into reviews (job_id, run, base, head, review, posted_at) values ($1, 1, 'base', $2, '{}', now())`,
      [job.id, head],
    )
    pull.comment('mona', 'Whatever touches a pull request has it told again.')
  }
  await review(first)
  const second = pull.push({ 'a.ts': 'let a = 3\n' })
  await review(second)
  await poll()
  assert.deepEqual(
    (await jobs()).map(({ head }) => head),
    [first, second],
  )

  pull.resetTo(first)
  await review(first)
  await poll()
  assert.deepEqual(
    (await jobs()).map(({ head }) => head),
    [first, second, first],
  )
})

test('closed and open again at the same head, it asks for a review once more, unless that head was reviewed', {
  skip,
}, async (t) => {
  const { pool, github, shop, poll, jobs } = await startPolled(t)
  await poll()
  const head = shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const seen = async () => {
    github.clock.advance(1_000)
    await poll()
    pull.comment('mona', 'Whatever touches a pull request has it told again.')
    await poll()
    return (await jobs()).map(({ status }) => status)
  }
  assert.deepEqual(await seen(), ['PENDING'])
  for (const status of ['CANCELLED', 'FAILED']) {
    await pool.query(`update workflow_jobs set status = $1, due_at = null where status = 'PENDING'`, [status])
    const before = (await jobs()).length
    pull.close()
    assert.equal((await seen()).length, before)
    pull.reopen()
    assert.deepEqual((await seen()).at(-1), 'PENDING')
    assert.equal((await jobs()).length, before + 1)
  }
  await pool.query(
    `with job as (
       update workflow_jobs set status = 'COMPLETED', due_at = null where status = 'PENDING' returning id)
     insert into reviews (job_id, run, base, head, review, posted_at) select id, 1, 'base', $1, '{}', now() from job`,
    [head],
  )
  pull.close()
  await seen()
  pull.reopen()
  assert.deepEqual(await seen(), ['CANCELLED', 'FAILED', 'COMPLETED'])
})

test('one that was closed when it was first heard of is asked about once when it is opened again', {
  skip,
}, async (t) => {
  const { github, shop, poll, jobs } = await startPolled(t)
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  pull.close()
  await poll()
  assert.deepEqual(await jobs(), [])
  github.clock.advance(1_000)
  pull.reopen()
  await poll()
  await poll()
  assert.equal((await jobs()).length, 1)
})

test('one that was ready, a draft, and is ready again asks for a review once more', { skip }, async (t) => {
  const { pool, github, shop, poll, jobs } = await startPolled(t)
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  const count = async () => {
    github.clock.advance(1_000)
    await poll()
    await poll()
    // As a draft that is left alone.
    await pool.query(`update workflow_jobs set status = 'COMPLETED', due_at = null`)
    return (await jobs()).length
  }
  assert.equal(await count(), 1)
  pull.convertToDraft()
  assert.equal(await count(), 2)
  pull.markReady()
  assert.equal(await count(), 3)
  pull.convertToDraft()
  assert.equal(await count(), 3, 'nothing is new in a draft')
})

test('a list that is older than what is known opens nothing again', { skip }, async (t) => {
  const { pool, shop, poll, jobs } = await startPolled(t)
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature', author: 'mona' })
  await poll()
  await pool.query(
    `update pull_requests set state = 'closed', updated_at = updated_at + interval '5 seconds'`,
  )
  await poll()
  assert.equal((await jobs()).length, 1)
})

test('a repository that cannot be read does not hide the next one', { skip }, async (t) => {
  const { shop, poll, jobs } = await startPolled(t, ['octo/gone', 'octo/shop'])
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature' })
  await poll()
  assert.equal((await jobs()).length, 1)
})

test('what GitHub did not tell to its end is told the next time', { skip }, async (t) => {
  const { github, shop, poll, jobs } = await startPolled(t)
  await poll()
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature' })
  github.fail({ path: /pulls\/comments/, times: 2, with: { status: 502 } })
  await poll()
  assert.deepEqual(await jobs(), [])
  await poll()
  assert.equal((await jobs()).length, 1)
})
