import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import type { CommandName } from '../../src/jobs/review-request.ts'
import type { Review } from '../../src/review/review.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { recordIntent } from '../../src/store/record-intent.ts'
import { recordPosted } from '../../src/store/record-posted.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import type { TestDatabase } from '../support/database.ts'
import { aCommand, aDelivery } from '../support/deliveries.ts'
import { createJob, failJob, startApi, startJob } from './start-api.ts'

const REVIEW: Review = {
  base: 'a'.repeat(40),
  head: 'b'.repeat(40),
  since: null,
  files: { changed: 2, reviewed: 1, secretsOnly: 0, unchanged: 0 },
  findings: [
    {
      id: 'f1',
      source: 'rule',
      rule: 'typescript/async-foreach',
      path: 'src/a.ts',
      line: 3,
      endLine: 4,
      severity: 'high',
      what: 'A promise is dropped.',
      why: 'Nobody learns of its failure.',
      advice: 'Await it.',
    },
  ],
  carried: [],
  fixed: [],
  returned: [],
  forgotten: [],
  notes: [{ about: 'logo.png', reason: 'binary' }],
  model: { used: true, model: 'm', requests: 1, inputTokens: 10, outputTokens: 5 },
  fetchedBytes: 512,
}

async function recordCommand(pool: TestDatabase['pool'], command: CommandName) {
  const delivery = aCommand({ command })
  await recordDeliveries(pool, [delivery], 0)
  return delivery
}

test('a new job is shown as the webhook told of it', async (t) => {
  const { get, pool } = await startApi(t)
  const id = await createJob(pool, {
    repository: 'acme/shop',
    title: 'Add a cart',
    pullRequest: '7',
    sender: 'ada',
  })
  const { status, body } = await get(`/jobs/${id}`)
  assert.equal(status, 200)
  const { createdAt, updatedAt, deliveryId, ...rest } = body
  assert.equal(createdAt, updatedAt)
  assert.ok(deliveryId)
  assert.deepEqual(rest, {
    id,
    type: 'code-review',
    status: 'PENDING',
    forge: 'git',
    repository: 'acme/shop',
    organisation: 'example.com',
    pullRequest: '7',
    title: 'Add a cart',
    branch: null,
    base: 'a'.repeat(40),
    head: 'b'.repeat(40),
    command: null,
    sender: 'ada',
    run: 1,
    attempts: 0,
    stage: null,
    progress: 0,
    error: null,
    startedAt: null,
    finishedAt: null,
    discardedAt: null,
    findings: [],
    review: null,
    reviewUrl: null,
  })
})

test('a command is shown as what it is, with nothing of a review', async (t) => {
  const { get, pool } = await startApi(t)
  const { jobId } = await recordCommand(pool, 'pause')
  const { status, body } = await get(`/jobs/${jobId}`)
  assert.equal(status, 200)
  const { type, command, sender, pullRequest, title, base, head, branch, review } = body
  assert.deepEqual([type, command, sender, pullRequest], ['command', 'pause', 'mona', '7'])
  assert.deepEqual([title, base, head, branch, review], [null, null, null, null, null])
})

test('a job of a type that only a newer component knows is shown all the same', async (t) => {
  const { get, pool } = await startApi(t)
  const { jobId } = await recordCommand(pool, 'help')
  await pool.query(`update workflow_jobs set type = 'future', payload = '{}'`)
  const { body } = await get(`/jobs/${jobId}`)
  assert.deepEqual([body.type, body.title, body.command, body.sender], ['future', null, null, null])
})

test('a review that an older version stored is shown with what it could not know', async (t) => {
  const { get, pool } = await startApi(t)
  const id = await createJob(pool)
  const job = await startJob(pool, id)
  const { since, carried, fixed, returned, forgotten, fetchedBytes, ...old } = REVIEW
  await recordIntent(pool, job, old, { ...old, files: { changed: 2, reviewed: 1, secretsOnly: 0 } })
  await recordPosted(pool, job, null)
  assert.deepEqual((await get(`/jobs/${id}`)).body.review, { ...REVIEW, fetchedBytes: 0 })
})

test('a review is shown from the moment it is posted, not before', async (t) => {
  const { get, pool } = await startApi(t)
  const id = await createJob(pool)
  const job = await startJob(pool, id)
  await recordProgress(pool, job, 'publish', 90)
  await recordIntent(pool, job, REVIEW, REVIEW)

  const posting = (await get(`/jobs/${id}`)).body
  assert.deepEqual([posting.status, posting.stage, posting.progress], ['PROCESSING', 'publish', 90])
  assert.deepEqual([posting.findings, posting.review], [[], null])
  assert.ok(posting.startedAt)

  await recordPosted(pool, job, 'https://forge.example/review/1')
  await transitionJob(pool, 'complete', { jobId: id, fence: job.fence, actor: 'worker-1', reason: 'posted' })
  const { body } = await get(`/jobs/${id.toUpperCase()}`)
  assert.deepEqual([body.status, body.attempts, body.progress], ['COMPLETED', 1, 100])
  assert.deepEqual(body.review, REVIEW)
  assert.deepEqual(body.findings, REVIEW.findings)
  assert.equal(body.reviewUrl, 'https://forge.example/review/1')
  assert.ok(body.finishedAt)
})

test('a failed job says why, and what can be done', async (t) => {
  const { get, pool } = await startApi(t)
  const id = await createJob(pool)
  await failJob(pool, id)
  const { body } = await get(`/jobs/${id}`)
  assert.equal(body.status, 'FAILED')
  assert.deepEqual(body.error, {
    code: 'GIT_UNREACHABLE',
    message: 'The repository cannot be reached.',
    help: 'Check its address.',
  })
})

test('what cannot be meant is refused, and the parameter is named', async (t) => {
  const { get, post } = await startApi(t)
  const forged = (text: string) => Buffer.from(text).toString('base64url')
  const unknown = randomUUID()
  const rows: [path: string, status: number, detail: RegExp][] = [
    [`/jobs/${unknown}`, 404, new RegExp(unknown)],
    [`/jobs/${unknown}/events`, 404, new RegExp(unknown)],
    ['/jobs/17', 400, /^id must be/],
    [`/jobs/${unknown}0`, 400, /^id must be/],
    [`/jobs/${'a'.repeat(2000)}`, 400, /^id must be/],
    ['/jobs/%00', 400, /^id must be/],
    ['/jobs/17/events', 400, /^id must be/],
    ['/jobs/%zz', 400, /%zz/],
    ['/jobs?limit=0', 400, /^limit must be a whole number from 1 to 100\.$/],
    ['/jobs?limit=101', 400, /^limit /],
    ['/jobs?limit=ten', 400, /^limit /],
    ['/jobs?limit=', 400, /^limit /],
    ['/jobs?limit=1.5', 400, /^limit /],
    ['/jobs?limit=1&limit=2', 400, /^limit /],
    ['/jobs?status=DONE', 400, /^status must be one of PENDING, /],
    ['/jobs?status=pending', 400, /^status /],
    ['/jobs?status=', 400, /^status /],
    ['/jobs?forge=', 400, /^forge must not be empty/],
    ['/jobs?repository=%00', 400, /^repository must not hold a NUL/],
    [`/jobs?repository=${'a'.repeat(1001)}`, 400, /^repository is too long/],
    ['/jobs?sttaus=FAILED', 400, /^sttaus is not a parameter/],
    ['/jobs?cursor=', 400, /^cursor /],
    ['/jobs?cursor=%00', 400, /^cursor /],
    ['/jobs?cursor=next', 400, /^cursor is not one/],
    [`/jobs?cursor=${forged('now')}`, 400, /^cursor /],
    [`/jobs?cursor=${forged(`2026-02-30T00:00:00.000000Z ${unknown}`)}`, 400, /^cursor /],
    [`/jobs?cursor=${forged(`2026-02-03T25:00:00.000000Z ${unknown}`)}`, 400, /^cursor /],
    [`/jobs?cursor=${forged(`infinity ${unknown}`)}`, 400, /^cursor /],
    [`/jobs?cursor=${forged("2026-02-03T00:00:00.000000Z ' or true --")}`, 400, /^cursor /],
    ['/job', 404, /^There is no GET \/job\.$/],
    ['/jobs/', 400, /^id must be/],
  ]
  for (const [path, status, detail] of rows) {
    const answer = await get(path)
    assert.equal(answer.status, status, path)
    assert.match(answer.body.detail, detail)
  }
  assert.equal((await post('/jobs/17/cancel')).status, 400)
  assert.equal((await post('/jobs/17/replay')).status, 400)
})

test('a method that a route does not know is refused with those it does', async (t) => {
  const { request } = await startApi(t)
  const rows: [method: string, path: string, allow: string][] = [
    ['POST', '/jobs', 'GET, HEAD'],
    ['DELETE', `/jobs/${randomUUID()}`, 'GET, HEAD'],
    ['GET', `/jobs/${randomUUID()}/cancel`, 'POST'],
    ['PUT', '/health?x', 'GET, HEAD'],
  ]
  for (const [method, path, allow] of rows) {
    const response = await request(method, path, {})
    assert.deepEqual([response.status, response.headers.get('allow')], [405, allow], `${method} ${path}`)
  }
})

test('jobs are listed newest first, and filtered', async (t) => {
  const { get, pool } = await startApi(t)
  const shop = await createJob(pool, { repository: 'acme/shop' })
  const site = await createJob(pool, { repository: 'acme/site' })
  const failed = await createJob(pool, { repository: 'acme/shop' })
  await failJob(pool, failed)
  const command = aCommand({})
  await recordDeliveries(pool, [command], 0)

  const rows: [query: string, ids: string[]][] = [
    ['', [command.jobId, failed, site, shop]],
    ['?status=FAILED', [failed]],
    ['?status=COMPLETED', []],
    ['?repository=acme/shop', [failed, shop]],
    ['?repository=acme%2Fshop&status=PENDING', [shop]],
    ['?forge=git', [failed, site, shop]],
    ['?forge=github', [command.jobId]],
    ['?type=command', [command.jobId]],
    ['?type=code-review', [failed, site, shop]],
    ['?limit=1', [command.jobId]],
  ]
  for (const [query, ids] of rows) {
    const { status, body } = await get(`/jobs${query}`)
    assert.equal(status, 200, query)
    assert.deepEqual(
      body.jobs.map((job: { id: string }) => job.id),
      ids,
      query,
    )
  }
})

test('pages neither lose nor repeat a job, though 250 of them came at the same moment and more come meanwhile', async (t) => {
  const { get, pool } = await startApi(t)
  const deliveries = Array.from({ length: 250 }, () => aDelivery())
  await recordDeliveries(pool, deliveries, 0)
  const { rows } = await pool.query('select distinct created_at from workflow_jobs')
  assert.equal(rows.length, 1, 'this test is about equal timestamps')

  for (const limit of [7, 20, 50, 100]) {
    const seen: string[] = []
    let cursor = ''
    do {
      const { body } = await get(`/jobs?limit=${limit}${cursor && `&cursor=${cursor}`}`)
      assert.ok(body.jobs.length <= limit)
      seen.push(...body.jobs.map((job: { id: string }) => job.id))
      await createJob(pool)
      cursor = body.next
    } while (cursor)
    const firstJobs = new Set(deliveries.map(({ jobId }) => jobId))
    const among = seen.filter((id) => firstJobs.has(id))
    assert.equal(among.length, 250)
    assert.equal(new Set(seen).size, seen.length)
  }
})

test('a page that holds the last job has no next', async (t) => {
  const { get, pool } = await startApi(t)
  assert.deepEqual((await get('/jobs')).body, { jobs: [], next: null })
  await createJob(pool)
  await createJob(pool)
  assert.equal((await get('/jobs?limit=2')).body.next, null)
  assert.ok((await get('/jobs?limit=1')).body.next)
})
