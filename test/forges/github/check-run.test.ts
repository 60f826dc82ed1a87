import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ReviewStatus, Verdict } from '../../../src/forges/forge.ts'
import { createStatusDisplay } from '../../../src/forges/github/status-display.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { githubDescription } from '../../github/description.ts'
import { comment, MARKER_KEY, reviewOf, startPosting } from './posting.ts'

const skip = await githubDescription()
const signal = AbortSignal.timeout(60_000)

const FAILED: Verdict = { conclusion: 'neutral', title: 'Not reviewed', summary: 'The model is away.' }
const ended: ReviewStatus = { state: 'ended', verdict: FAILED }

function running(stage: string, percent: number): ReviewStatus {
  return { state: 'running', stage, percent }
}

async function startDisplay(t: Parameters<typeof startPosting>[0], options?: { token: string }) {
  const posting = await startPosting(t, options)
  const { client, pull, request, shop } = posting
  const jobId = reviewOf(pull).jobId
  const display = createStatusDisplay({ client, markerKey: MARKER_KEY, log: silentLog })
  const show = (status: ReviewStatus, run = 1) => display.show(request, { jobId, run }, status, signal)
  const runs = () =>
    shop
      .checkRuns(pull.head())
      .sort((a, b) => a.id - b.id)
      .map(({ status, conclusion, output }) => [status, conclusion, output.title])
  return { ...posting, show, runs }
}

describe('a check run', { skip }, () => {
  test('shows how the review fares: one for each run of a job', async (t) => {
    const { show, runs, pull, shop } = await startDisplay(t)
    await show(running('analyse', 40))
    assert.deepEqual(runs(), [['in_progress', null, 'Reviewing']])
    await show(running('ask-model', 60))
    await show({ state: 'waiting', reason: 'The model is away.' })
    assert.deepEqual(runs(), [['in_progress', null, 'Waiting']])
    await show(ended)
    assert.deepEqual(runs(), [['completed', 'neutral', 'Not reviewed']])

    await show(running('analyse', 40), 2)
    assert.deepEqual(runs().at(-1), ['in_progress', null, 'Reviewing'])
    const [{ name, external_id }] = shop.checkRuns(pull.head()).sort((a, b) => a.id - b.id)
    assert.deepEqual([name, external_id], ['kodus', `${reviewOf(pull).jobId}/1`])
  })

  test('that has ended is not opened again by another attempt', async (t) => {
    const { show, runs } = await startDisplay(t)
    await show(ended)
    await show(running('analyse', 40))
    assert.deepEqual(runs(), [['completed', 'neutral', 'Not reviewed']])
  })

  test('gets its end although GitHub fails once', async (t) => {
    const { github, show, runs } = await startDisplay(t)
    await show(running('analyse', 40))
    github.fail({ method: 'PATCH', path: /\/check-runs\//, with: { status: 502 } })
    await show(ended)
    assert.deepEqual(runs(), [['completed', 'neutral', 'Not reviewed']])
  })

  test('is missing without the permission, and nothing else is', async (t) => {
    const { github, post, pull, show, runs } = await startDisplay(t)
    delete github.app.permissions.checks
    await show(running('analyse', 40))
    await show(ended)
    await post(reviewOf(pull))
    assert.deepEqual(runs(), [])
    assert.equal(pull.reviews().length, 1)
  })

  test('is not asked for with a token: only Apps have them', async (t) => {
    const { github, post, pull, show } = await startDisplay(t, { token: 'hubot' })
    await show(running('analyse', 40))
    await post(reviewOf(pull))
    assert.equal(pull.reviews()[0].user.login, 'hubot')
    assert.deepEqual(
      github.requests.filter(({ path }) => /check-runs/.test(path)),
      [],
    )
  })
})

describe('the check run of a posted review', { skip }, () => {
  const many = Array.from({ length: 120 }, (_, index) =>
    comment(`f${index}`, { path: 'new.ts', line: index + 1, endLine: index + 1, severity: 'medium' }),
  )

  test('has its verdict, and a note at each line by severity', async (t) => {
    const { github, client, show, runs, post, pull, shop } = await startDisplay(t)
    await show(running('publish', 90))
    await post(reviewOf(pull))
    assert.deepEqual(runs(), [['completed', 'neutral', '2 findings']])
    assert.deepEqual(await annotations(client, shop.checkRuns(pull.head())[0].id), [
      ['cart.ts', 3, 'failure', 'Title of f1'],
      ['cart.ts', 40, 'notice', 'Title of f2'],
    ])
    const before = github.requests.length
    await post(reviewOf(pull))
    const writes = github.requests
      .slice(before)
      .filter(({ method, path }) => method !== 'GET' && /check/.test(path))
    assert.deepEqual(writes, [], 'a second attempt adds nothing')
  })

  test('has more notes than one request may carry, each once, although GitHub fails in between', async (t) => {
    const { github, client, runs, post, pull, shop } = await startDisplay(t)
    github.fail({ method: 'PATCH', path: /\/check-runs\//, after: 1, with: { statusAfter: 502 } })
    await assert.rejects(post(reviewOf(pull, { comments: many })), { code: 'GITHUB_UNAVAILABLE' })
    assert.equal(runs()[0]?.[0], 'in_progress')

    await post(reviewOf(pull, { comments: many }))
    assert.deepEqual(runs(), [['completed', 'neutral', '2 findings']])
    const lines = (await annotations(client, shop.checkRuns(pull.head())[0].id)).map(([, line]) => line)
    assert.deepEqual(
      lines,
      many.map(({ line }) => line),
    )
  })
})

async function annotations(
  client: Awaited<ReturnType<typeof startPosting>>['client'],
  id: number,
): Promise<[path: string, line: number, level: string | null, message: string | null][]> {
  const octokit = await client.forRepository('octo/shop')
  const all = await octokit.paginate('GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations', {
    owner: 'octo',
    repo: 'shop',
    check_run_id: id,
    per_page: 100,
  })
  return all.map(({ path, start_line, annotation_level, message }) => [
    path,
    start_line,
    annotation_level,
    message,
  ])
}
