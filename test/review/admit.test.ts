import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PullRequest, PullRequests } from '../../src/forges/forge.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { newDraft } from '../../src/review/draft.ts'
import type { ReviewPorts } from '../../src/review/stage.ts'
import { admit } from '../../src/review/stages/admit.ts'
import { memoryPorts, pullRequests, reviewRequest } from '../support/memory-ports.ts'

interface Situation {
  request?: Partial<ReviewRequest>
  now?: Partial<PullRequest>
  forge?: Partial<PullRequests>
  known?: Partial<Awaited<ReturnType<ReviewPorts['observe']>>>
}

async function admitted({ request, now, forge, known }: Situation = {}) {
  const { ports } = memoryPorts()
  const draft = newDraft({ ...reviewRequest, ...request })
  const outcome = await admit.run(draft, {
    ...ports,
    forge: { ...ports.forge, pullRequests: pullRequests(now, forge) },
    observe: async ({ head, state }) => ({ head, state, hold: null, ...known }),
  })
  return { outcome, draft }
}

const outsider: Situation = { now: { author: 'eve', fromFork: true }, forge: { canWrite: async () => false } }

test('a pull request of somebody who may write is reviewed, from a fork of theirs too', async () => {
  assert.equal((await admitted()).outcome.did, 'continue')
  assert.equal((await admitted({ now: { fromFork: true, headOwner: 'ada' } })).outcome.did, 'continue')
  assert.equal((await admitted({ now: { fromFork: true, headOwner: null } })).outcome.did, 'continue')
})

test('a forge that knows no pull requests, or a request that names none, is not asked', async () => {
  const { ports } = memoryPorts()
  assert.equal((await admit.run(newDraft(reviewRequest), ports)).did, 'skip')
  const get = () => assert.fail('asked')
  const { outcome } = await admitted({ request: { pullRequest: null }, forge: { get } })
  assert.equal(outcome.did, 'skip')
})

test('a repository that is not on the allowlist is refused before the forge is asked anything', async () => {
  const get = () => assert.fail('asked')
  const forge = { isAllowed: () => false, get }
  await assert.rejects(admitted({ forge, request: { approvedBy: 'ada' } }), {
    code: 'REPOSITORY_NOT_ALLOWED',
    retryability: 'permanent',
    help: /GITHUB_REPOSITORIES/,
  })
})

test('what the forge says now is reviewed, not what the webhook said', async () => {
  const now = {
    title: 'New title',
    description: 'New',
    draft: true,
    base: 'c'.repeat(40),
    baseBranch: 'next',
  }
  const { draft } = await admitted({ now })
  const { head } = reviewRequest
  assert.deepEqual({ ...draft.request }, { ...reviewRequest, ...now, head, branch: 'cards' })
})

for (const state of ['closed', 'merged'] as const) {
  test(`a ${state} pull request is not reviewed, whoever asks`, async () => {
    const situation = { now: { state }, request: { approvedBy: 'ada' } }
    await assert.rejects(admitted(situation), {
      code: 'PULL_REQUEST_CLOSED',
      message: `The pull request is ${state}.`,
    })
  })
}

test('a head that is not the newest known is superseded', async () => {
  await assert.rejects(admitted({ known: { head: 'c'.repeat(40) } }), { code: 'SUPERSEDED', message: /cccc/ })
})

test('an outsider waits for a maintainer, who is told what to do', async () => {
  const { outcome } = await admitted(outsider)
  assert.ok(outcome.did === 'finish' && outcome.verdict)
  assert.match(outcome.reason, /^eve may not write to acme\/shop: waits/)
  assert.equal(outcome.verdict.conclusion, 'neutral')
  assert.match(outcome.verdict.summary, /`@kody review`/)
})

test('the fork of an outsider waits, whoever opened the pull request: its owner goes on pushing there', async () => {
  const canWrite: PullRequests['canWrite'] = async (_repository, account) => account === 'ada'
  const now = { author: 'ada', fromFork: true, headOwner: 'eve' }
  const { outcome } = await admitted({ now, forge: { canWrite } })
  assert.ok(outcome.did === 'finish')
  assert.match(outcome.reason, /^eve may not write to acme\/shop: waits/)
})

test('a branch of the repository does not make an outsider an insider: anybody may open a pull request of it', async () => {
  const { outcome } = await admitted({ ...outsider, now: { author: 'eve', fromFork: false } })
  assert.equal(outcome.did, 'finish')
})

test('a change that an App brings on a branch of the repository is reviewed; from a fork it waits', async () => {
  const renovate = { author: 'renovate[bot]', byApp: true }
  const { outcome } = await admitted({ ...outsider, now: { ...renovate, fromFork: false } })
  assert.equal(outcome.did, 'continue')
  const fromFork = await admitted({ ...outsider, now: { ...renovate, fromFork: true } })
  assert.equal(fromFork.outcome.did, 'finish')
})

test('an outsider is passed over in silence where the operator wants it so', async () => {
  const { outcome } = await admitted({ ...outsider, forge: { ...outsider.forge, outsideChanges: 'ignore' } })
  assert.ok(outcome.did === 'finish')
  assert.equal(outcome.verdict, null)
})

test('where everybody is reviewed, nobody is asked after', async () => {
  const forge: Partial<PullRequests> = { outsideChanges: 'review', canWrite: () => assert.fail('asked') }
  assert.equal((await admitted({ ...outsider, forge })).outcome.did, 'continue')
})

test('a pause is shown with the way out of it; being ignored is not shown', async () => {
  const paused = (await admitted({ known: { hold: 'paused' } })).outcome
  assert.ok(paused.did === 'finish' && paused.verdict?.conclusion === 'neutral')
  assert.match(paused.verdict.summary, /`@kody resume`/)
  const ignored = (await admitted({ known: { hold: 'ignored' } })).outcome
  assert.ok(ignored.did === 'finish' && ignored.verdict === null)
})

test("a maintainer's command passes a hold and the policy for outsiders", async () => {
  const request = { approvedBy: 'ada' }
  assert.equal((await admitted({ ...outsider, request })).outcome.did, 'continue')
  for (const hold of ['paused', 'ignored'] as const) {
    assert.equal((await admitted({ request, known: { hold } })).outcome.did, 'continue')
  }
})
