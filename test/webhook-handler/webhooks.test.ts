import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import { createDatabase } from '../support/database.ts'
import { commentEvent } from './comment-event.ts'
import { pullRequestEvent } from './pull-request-event.ts'
import {
  gitBody,
  gitHeaders,
  githubHeaders,
  post,
  postGit,
  postGithub,
  SECRETS,
  sign,
  startHandler,
} from './start-handler.ts'

test('a signed webhook becomes a job whose id is told, and whose payload is what was asked for', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody({ title: 'Sell more', description: 'Much more.', branch: 'feature/sell' })

  const { status, body: answer } = await postGit(handler, body, { id: 'delivery-1' })

  assert.deepEqual([status, answer], [202, { jobId: jobIdOf('git', 'delivery-1'), status: 'PENDING' }])
  const { rows } = await pool.query('select id, status, payload, forge, organisation from workflow_jobs')
  assert.deepEqual(rows, [
    {
      id: answer.jobId,
      status: 'PENDING',
      forge: 'git',
      organisation: 'git.example',
      payload: {
        repository: 'https://git.example/team/shop.git',
        organisation: 'git.example',
        pullRequest: 'feature/sell',
        base: 'main',
        head: 'a'.repeat(40),
        title: 'Sell more',
        description: 'Much more.',
        branch: 'feature/sell',
        sender: null,
        action: 'requested',
      },
    },
  ])
})

test('the same delivery three times, at once or in turn, is one job', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()
  const id = randomUUID()

  const answers = await Promise.all([postGit(handler, body, { id }), postGit(handler, body, { id })])
  answers.push(await postGit(handler, body, { id }))

  for (const { status, body } of answers) assert.deepEqual([status, body.jobId], [202, jobIdOf('git', id)])
  const duplicates = answers.filter(({ body }) => body.duplicate === true)
  assert.equal(duplicates.length, 2)
  for (const { body } of duplicates) assert.equal(body.status, 'PENDING')
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 1)
})

test('a captured body under a fresh delivery id is the job it was before', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()

  const first = await postGit(handler, body)
  const second = await postGit(handler, body)

  assert.deepEqual(second.body, { jobId: first.body.jobId, status: 'PENDING', duplicate: true })
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 1)
})

test('the same words about a branch may mean another commit: each delivery of them is a job of its own', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody({ head: 'my-branch' })
  const first = await postGit(handler, body)
  const second = await postGit(handler, body)
  assert.equal(second.body.duplicate, undefined)
  assert.notEqual(second.body.jobId, first.body.jobId)
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 2)
})

test('redelivering a FAILED job runs it again; a COMPLETED one stays as it is', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()
  const id = randomUUID()
  const { jobId } = (await postGit(handler, body, { id })).body

  await pool.query(`update workflow_jobs set status = 'FAILED', due_at = null where id = $1`, [jobId])
  const replayed = await postGit(handler, body, { id })
  assert.deepEqual(replayed.body, { jobId, status: 'PENDING', duplicate: true })
  const { rows } = await pool.query('select run, status from workflow_jobs')
  assert.deepEqual(rows, [{ run: 2, status: 'PENDING' }])

  await pool.query(`update workflow_jobs set status = 'COMPLETED', due_at = null where id = $1`, [jobId])
  const known = await postGit(handler, body, { id })
  assert.deepEqual(known.body, { jobId, status: 'COMPLETED', duplicate: true })
})

test('an event that only changes a pull request updates its state and makes no job', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const states = async () =>
    (await pool.query('select head, state, draft from pull_requests')).rows.map(({ head, state, draft }) => [
      head[0],
      state,
      draft,
    ])

  const draft = { action: 'converted_to_draft', draft: true } as const
  const converted = pullRequestEvent({ ...draft, head: 'a', at: '2026-01-01T00:00:00Z' })
  assert.deepEqual(await postGithub(handler, converted).then(({ status, body }) => [status, body]), [
    202,
    { updated: 'pull request 7 of octo/shop is a draft' },
  ])
  assert.deepEqual(await states(), [['a', 'open', true]])

  const pushed = pullRequestEvent({ ...draft, head: 'b', at: '2026-01-02T00:00:00Z' })
  await postGithub(handler, pushed)
  assert.deepEqual(await states(), [['b', 'open', true]])

  const merged = pullRequestEvent({ action: 'closed', merged: true, head: 'b', at: '2026-01-04T00:00:00Z' })
  assert.deepEqual((await postGithub(handler, merged)).body, {
    updated: 'pull request 7 of octo/shop is merged',
  })
  assert.deepEqual(await states(), [['b', 'merged', false]])

  // Order of arrival means nothing.
  const late = pullRequestEvent({ action: 'edited', head: 'b', at: '2026-01-03T00:00:00Z' })
  await postGithub(handler, late)
  assert.deepEqual(await states(), [['b', 'merged', false]])
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 0)
})

test('a comment that addresses the reviewer becomes a command; redelivered, it is the same one', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const comment = commentEvent('@kody review --force')
  const send = (body: string) => postGithub(handler, body, { id: 'comment-1', event: 'issue_comment' })

  const jobId = jobIdOf('github', 'comment-1')
  assert.deepEqual((await send(comment)).body, { jobId, status: 'PENDING' })
  assert.deepEqual((await send(comment)).body, { jobId, status: 'PENDING', duplicate: true })
  const { rows } = await pool.query('select type, payload from workflow_jobs')
  assert.equal(rows.length, 1)
  assert.deepEqual(
    [rows[0].type, rows[0].payload.command, rows[0].payload.force],
    ['command', 'review', true],
  )
})

test('a repository that is not on the allowlist is told so, and nothing is stored of it', async (t) => {
  const { url, pool } = await createDatabase(t)
  const post = async (allowlist: string, body: string, event?: string) => {
    const handler = await startHandler(t, { DATABASE_URL: url, GITHUB_REPOSITORIES: allowlist })
    return (await postGithub(handler, body, { event })).body
  }
  const ignored = { ignored: 'octo/shop is not on the allowlist' }
  assert.deepEqual(await post('acme, octo/site', pullRequestEvent({})), ignored)
  assert.deepEqual(await post('acme', pullRequestEvent({ action: 'closed' })), ignored)
  assert.deepEqual(await post('acme', commentEvent('@kody help'), 'issue_comment'), ignored)
  for (const table of ['workflow_jobs', 'pull_requests', 'deliveries']) {
    assert.equal((await pool.query(`select from ${table}`)).rowCount, 0, table)
  }
  assert.equal((await post('acme, Octo/Shop', pullRequestEvent({}))).status, 'PENDING')
})

test('both secrets are valid while they are rotated, and no third', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, {
    DATABASE_URL: url,
    GIT_WEBHOOK_SECRET: 'new',
    GIT_WEBHOOK_SECRET_PREVIOUS: 'old',
  })
  const statusWith = async (secret: string) => (await postGit(handler, gitBody(), { secret })).status
  assert.deepEqual(
    [await statusWith('new'), await statusWith('old'), await statusWith('older'), await statusWith('')],
    [202, 202, 401, 401],
  )
})

test('GitHub may send its JSON inside a form, signed as it is', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const send = (form: string) =>
    post(`${handler.url}/webhooks/github`, form, { ...githubHeaders(form), ...type })

  const good = await send(new URLSearchParams({ payload: pullRequestEvent({}) }).toString())
  assert.deepEqual([good.status, good.body.status], [202, 'PENDING'])
  const empty = await send('other=1')
  assert.deepEqual([empty.status, empty.body.code], [400, 'WEBHOOK_MALFORMED'])
})

test('text that PostgreSQL or JSON cannot hold is made storable, and long text is cut between characters', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const title = `nul\0 half\ud800 ${'x'.repeat(489)}😀 tail`
  const description = '😀'.repeat(10_000)

  const { status } = await postGit(handler, gitBody({ title, description }))

  assert.equal(status, 202)
  const { rows } = await pool.query('select payload from workflow_jobs')
  assert.equal(rows[0].payload.title, `nul half\ufffd ${'x'.repeat(489)}`)
  assert.equal(rows[0].payload.description, '😀'.repeat(5_000))
})

test('each webhook is one line in the log, with its ids and without its secret, signature or body', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody({ title: 'a title nobody logs' })
  const { jobId } = (await postGit(handler, body, { id: 'logged-1' })).body
  await post(`${handler.url}/webhooks/git`, body, {
    ...gitHeaders(body, { id: 'logged-2' }),
    'x-kodus-signature-256': sign(body, 'wrong'),
  })
  await postGithub(handler, '{"zen": "quiet"}', { id: 'logged-3', event: 'ping' })

  await handler.line(({ deliveryId }) => deliveryId === 'logged-3')
  const about = handler.lines
    .filter(({ deliveryId }) => deliveryId !== undefined)
    .map(({ deliveryId, jobId, forge, answered, msg }) => ({ deliveryId, jobId, forge, answered, msg }))
  assert.deepEqual(
    about.map((line) => JSON.parse(JSON.stringify(line))),
    [
      { deliveryId: 'logged-1', jobId, forge: 'git', answered: 202, msg: 'webhook accepted' },
      {
        deliveryId: 'logged-2',
        forge: 'git',
        answered: 401,
        msg: 'webhook refused: The header x-kodus-signature-256 was not made with GIT_WEBHOOK_SECRET, or not for this body.',
      },
      {
        deliveryId: 'logged-3',
        forge: 'github',
        answered: 202,
        msg: 'webhook ignored: ping asks for no review',
      },
    ],
  )
  const everything = JSON.stringify(handler.lines)
  for (const secret of [
    SECRETS.GIT_WEBHOOK_SECRET,
    'sha256=',
    'a title nobody logs',
    new URL(url).password,
  ]) {
    if (secret) assert.ok(!everything.includes(secret), `the log holds ${JSON.stringify(secret)}`)
  }
})
