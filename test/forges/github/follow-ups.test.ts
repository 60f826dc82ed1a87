import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { pino } from 'pino'
import type { FollowUp } from '../../../src/forges/forge.ts'
import { createGitHubPoster } from '../../../src/forges/github/post-review.ts'
import { KodusError } from '../../../src/lib/errors.ts'
import { githubDescription } from '../../github/description.ts'
import type { PullRequest } from '../../github/server.ts'
import { MARKER_KEY, reviewOf, startPosting } from './posting.ts'

const skip = await githubDescription()

const REPLY = { method: 'POST', path: /\/replies$/ }

const fixed: FollowUp = { findingId: 'f1', action: 'fixed', body: 'The code is gone.' }
const returned: FollowUp = { findingId: 'f1', action: 'returned', body: 'It is back.' }

/** The threads as a reader sees them: whether resolved, and the answers' text. */
function threads(pull: PullRequest) {
  return pull.threads().map(({ isResolved, comments }) => ({
    isResolved,
    answers: comments.slice(1).map(({ body }) => body.split('\n').at(-1)),
  }))
}

const UNTOUCHED = { isResolved: false, answers: [] }

async function withReview(t: Parameters<typeof startPosting>[0]) {
  const posting = await startPosting(t)
  posting.github.app.permissions.contents = 'write'
  await posting.post(reviewOf(posting.pull))
  const later = (followUps: FollowUp[], run = 2) =>
    posting.post(reviewOf(posting.pull, { run, comments: [], followUps }))
  const root = posting.pull.threads()[0]?.comments[0].id
  return { ...posting, later, root }
}

describe('a finding whose code is gone', { skip }, () => {
  test('is answered and resolved in its thread, once', async (t) => {
    const { pull, later } = await withReview(t)
    await later([fixed])
    await later([fixed])
    assert.deepEqual(threads(pull), [{ isResolved: true, answers: ['The code is gone.'] }, UNTOUCHED])
  })

  test('is not answered where a person resolved its thread before', async (t) => {
    const { pull, later, root } = await withReview(t)
    pull.resolveThread(root, 'mona')
    await later([fixed])
    assert.deepEqual(threads(pull), [{ isResolved: true, answers: [] }, UNTOUCHED])
  })

  test('is answered once when GitHub failed after it took the answer', async (t) => {
    const { github, pull, later } = await withReview(t)
    github.fail({ ...REPLY, with: { statusAfter: 502 } })
    await assert.rejects(later([fixed]), { code: 'GITHUB_UNAVAILABLE' })
    await later([fixed])
    assert.deepEqual(threads(pull), [{ isResolved: true, answers: ['The code is gone.'] }, UNTOUCHED])
  })

  test('and whose thread is gone too, is passed over', async (t) => {
    const { pull, later } = await withReview(t)
    await later([{ ...fixed, findingId: 'never posted' }])
    assert.deepEqual(threads(pull), [UNTOUCHED, UNTOUCHED])
  })

  test('is answered where GitHub does not let us resolve its thread, and that is logged once', async (t) => {
    const { github, pull, client, request } = await withReview(t)
    github.app.permissions.contents = 'read'
    const lines: { level: number; code: string }[] = []
    const log = pino({}, { write: (line) => lines.push(JSON.parse(line)) })
    const followUps = [fixed, { ...fixed, findingId: 'f2' }]
    await createGitHubPoster({ client, markerKey: MARKER_KEY, log }).post(
      request,
      reviewOf(pull, { run: 2, comments: [], followUps }),
      async () => true,
      AbortSignal.timeout(60_000),
    )
    assert.deepEqual(
      lines.filter(({ code }) => code !== undefined).map(({ level, code }) => [level, code]),
      [[pino.levels.values.info, 'GITHUB_FORBIDDEN']],
    )
    const answered = { isResolved: false, answers: ['The code is gone.'] }
    assert.deepEqual(threads(pull), [answered, answered])
  })
})

describe('a finding that is back', { skip }, () => {
  test('has its thread opened again and answered, once', async (t) => {
    const { pull, later } = await withReview(t)
    await later([fixed])
    await later([returned], 3)
    await later([returned], 3)
    assert.deepEqual(threads(pull), [
      { isResolved: false, answers: ['The code is gone.', 'It is back.'] },
      UNTOUCHED,
    ])
  })
})

describe('a thread that a stranger began with our marker', { skip }, () => {
  test('is not one of ours', async (t) => {
    const { markers, pull, later } = await withReview(t)
    pull.commentOn('mona', { path: 'new.ts', line: 1 }, `${markers.write('finding', 'f9')}\nMine.`)
    await later([{ ...fixed, findingId: 'f9' }])
    assert.deepEqual(threads(pull), [UNTOUCHED, UNTOUCHED, UNTOUCHED])
  })
})

test('answers wait for a review of ours that is pending', { skip }, async (t) => {
  const { client, markers, pull, later } = await withReview(t)
  const octokit = await client.forRepository('octo/shop')
  const seconds = String(Math.floor(Date.now() / 1000))
  await octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
    owner: 'octo',
    repo: 'shop',
    pull_number: pull.number,
    body: markers.write('review', 'another job', '1', seconds),
  })
  await assert.rejects(later([fixed]), (error) => {
    assert.ok(error instanceof KodusError)
    assert.deepEqual([error.code, error.retryability], ['GITHUB_REVIEW_IN_PROGRESS', 'transient'])
    return true
  })
})
