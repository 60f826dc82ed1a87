import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { recordIntent } from '../../src/store/record-intent.ts'
import { renewLease } from '../../src/store/renew-lease.ts'
import { takeDueJobs } from '../../src/store/take-due-jobs.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { createJob, failJob, startApi, startJob } from './start-api.ts'

const COMMITS = { base: 'a'.repeat(40), head: 'b'.repeat(40) }

test('a waiting job is cancelled, and the log says by whose key', async (t) => {
  const { get, post, pool } = await startApi(t)
  const id = await createJob(pool)
  const { status, body } = await post(`/jobs/${id}/cancel`)
  assert.equal(status, 200)
  assert.deepEqual([body.id, body.status], [id, 'CANCELLED'])
  assert.ok(body.finishedAt)

  const { events } = (await get(`/jobs/${id}/events`)).body
  const { from, to, actor, reason } = events.at(-1)
  assert.deepEqual([from, to, actor, reason], ['PENDING', 'CANCELLED', 'writer', 'cancelled over the API'])
})

test('a running job is cancelled, and its worker can write no more', async (t) => {
  const { post, pool } = await startApi(t)
  const id = await createJob(pool)
  const { fence } = await startJob(pool, id)
  assert.equal((await post(`/jobs/${id}/cancel`)).body.status, 'CANCELLED')
  assert.equal(await renewLease(pool, id, fence), false)
})

test('a job whose review is being posted cannot be cancelled', async (t) => {
  const { get, post, pool } = await startApi(t)
  const id = await createJob(pool)
  const job = await startJob(pool, id)
  assert.ok(await recordIntent(pool, job, COMMITS, { findings: [] }))
  const { status, body } = await post(`/jobs/${id}/cancel`)
  assert.deepEqual([status, body.code], [409, 'REVIEW_BEING_POSTED'])
  assert.equal((await get(`/jobs/${id}`)).body.status, 'PROCESSING')
})

test('a job in a final state cannot be cancelled', async (t) => {
  const { post, pool } = await startApi(t)
  const id = await createJob(pool)
  await failJob(pool, id)
  const { status, body } = await post(`/jobs/${id}/cancel`)
  assert.deepEqual([status, body.code], [409, 'JOB_FINAL'])
  assert.match(body.detail, /FAILED/)
})

test('a failed job is replayed as a new run that is due at once', async (t) => {
  const { get, post, pool } = await startApi(t)
  const id = await createJob(pool)
  await failJob(pool, id)
  assert.deepEqual(await takeDueJobs(pool, { types: ['code-review'], limit: 10 }), [])

  const { status, body } = await post(`/jobs/${id}/replay`)
  assert.equal(status, 202)
  assert.deepEqual(
    [body.status, body.run, body.attempts, body.progress, body.error],
    ['PENDING', 2, 0, 0, null],
  )
  const due = await takeDueJobs(pool, { types: ['code-review'], limit: 10 })
  assert.deepEqual(
    due.map(({ jobId }) => jobId),
    [id],
  )

  const { events } = (await get(`/jobs/${id}/events`)).body
  const { run, from, to, actor } = events.at(-1)
  assert.deepEqual([run, from, to, actor], [2, 'FAILED', 'PENDING', 'writer'])
})

test('a cancelled job can be replayed', async (t) => {
  const { post, pool } = await startApi(t)
  const id = await createJob(pool)
  await post(`/jobs/${id}/cancel`)
  const { status, body } = await post(`/jobs/${id}/replay`)
  assert.deepEqual([status, body.status, body.run], [202, 'PENDING', 2])
})

test('only a job that failed or was cancelled can be replayed', async (t) => {
  const { post, pool } = await startApi(t)
  const waiting = await createJob(pool)
  const running = await createJob(pool)
  await startJob(pool, running)
  const completed = await createJob(pool)
  const { fence } = await startJob(pool, completed)
  await transitionJob(pool, 'complete', { jobId: completed, fence, actor: 'worker-1', reason: 'posted' })

  for (const id of [waiting, running, completed]) {
    const { status, body } = await post(`/jobs/${id}/replay`)
    assert.deepEqual([status, body.code], [409, 'JOB_NOT_REPLAYABLE'])
    assert.match(body.help, /FAILED or CANCELLED/)
  }
})

test('of many who cancel at once, one does', async (t) => {
  const { get, post, pool } = await startApi(t)
  const id = await createJob(pool)
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(`/jobs/${id}/cancel`)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(answers.filter(({ status }) => status === 409).length, 7)
  assert.equal((await get(`/jobs/${id}/events`)).body.events.length, 2)
})

test('a job that does not exist can be neither cancelled nor replayed', async (t) => {
  const { post } = await startApi(t)
  for (const action of ['cancel', 'replay']) {
    const { status, body } = await post(`/jobs/${randomUUID()}/${action}`)
    assert.deepEqual([status, body.code], [404, 'JOB_UNKNOWN'])
  }
})

test('a body is read past, whatever it claims to be', async (t) => {
  const { url, pool, writer } = await startApi(t)
  const bodies: [type: string, body: string][] = [
    ['application/json', ''],
    ['application/json', '{"not json'],
    ['text/html', '<p>'],
    ['application/octet-stream', 'x'.repeat(3_000_000)],
  ]
  for (const [type, body] of bodies) {
    const id = await createJob(pool)
    const response = await fetch(`${url}/jobs/${id}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${writer.key}`, 'content-type': type },
      body,
    })
    assert.equal(response.status, 200, type)
    await response.body?.cancel()
  }
})
