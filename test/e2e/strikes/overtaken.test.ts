import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { RENEW_EVERY_MS } from '../../../src/jobs/job.ts'
import { githubDescription, type PullRequest } from '../../github/server.ts'
import { answers, type LlmServer } from '../../support/llm-server.ts'
import { checkOf, type Stack, startStack, until } from '../github/stack.ts'

const skip = await githubDescription()
const timeout = 240_000

/** A running review learns it with its next renewal; here with a margin of ten times that. */
const STOPPED_WITHIN_MS = 10 * RENEW_EVERY_MS

test('what a pull request has moved on from is not worked at any more', {
  skip,
  timeout,
}, async (t: TestContext) => {
  // Whatever is held up here is held until it is given up: nothing is ever let go.
  const stack = await startStack(t)
  const { github } = stack
  const model = holdOnDemand(stack.model)

  await t.test('all at once', { concurrency: true }, async (t: TestContext) => {
    await Promise.all([
      t.test('a push ends the review that asks the model, and its request', async () => {
        const held = model.holdNext('pushed.py')
        const pull = open(stack, 'octo/pushed', 'pushed.py')
        const first = pull.head()
        const request = await held
        const pushedAt = performance.now()
        const second = pull.push({ 'pushed.py': WITH_MISTAKE.replace('items', 'things') })
        await closed(request)
        assert.ok(performance.now() - pushedAt < STOPPED_WITHIN_MS)
        await assertMovedOn(stack, pull, first, second)
        assert.equal((await checkOf(pull, first)).output.title, 'Superseded')
      }),

      t.test('a push ends the review that fetches, and its git', async () => {
        const fetch = github.fail({ path: /held-fetch\.git\/git-upload-pack/, with: { hold: 'before' } })
        const held = fetch.next()
        const pull = open(stack, 'octo/held-fetch', 'fetched.py')
        const first = pull.head()
        await held
        assert.ok(runs('octo/held-fetch.git'))
        const pushedAt = performance.now()
        const second = pull.push({ 'fetched.py': WITH_MISTAKE.replace('items', 'things') })
        await until(async () => (await statusOf(stack, pull, first)) === 'SUPERSEDED')
        assert.ok(performance.now() - pushedAt < STOPPED_WITHIN_MS)
        await assertMovedOn(stack, pull, first, second)
        assert.ok(!runs('octo/held-fetch.git'))
      }),

      t.test('a push ends the review that asks the forge', async () => {
        const asking = github.fail({ path: /octo\/held-http\/collaborators/, with: { hold: 'before' } })
        const held = asking.next()
        const pull = open(stack, 'octo/held-http', 'asked.py')
        const first = pull.head()
        await held
        const second = pull.push({ 'asked.py': WITH_MISTAKE.replace('items', 'things') })
        await assertMovedOn(stack, pull, first, second)
        assert.deepEqual(pull.repository.checkRuns(first), [])
      }),

      t.test('closing the pull request cancels the review that asks the model, and its request', async () => {
        const held = model.holdNext('closed.py')
        const pull = open(stack, 'octo/closed', 'closed.py')
        const request = await held
        pull.close()
        await closed(request)
        await until(async () => (await statusOf(stack, pull, pull.head())) === 'CANCELLED')
        assert.deepEqual([pull.reviews(), pull.comments()], [[], []])
        const { conclusion, output } = await checkOf(pull)
        assert.deepEqual([conclusion, output.title], ['neutral', 'Cancelled'])
        assert.match(output.summary, /The pull request is closed/)
      }),
    ])
  })
})

const WITH_MISTAKE = 'def total(items, seen=[]):\n    seen.append(items)\n    return sum(items)\n'

function open({ github }: Stack, name: string, file: string): PullRequest {
  const repository = github.createRepository(name, { files: { 'README.md': 'A shop.\n' } })
  repository.commit('feature', { [file]: WITH_MISTAKE })
  return repository.openPullRequest({ head: 'feature' })
}

/** Has the model keep silent when it is asked of a file the next time. */
function holdOnDemand(model: LlmServer) {
  const toHold = new Map<string, (response: ServerResponse) => void>()
  model.behave((request, response) => {
    for (const [file, hold] of toHold) {
      if (!request.prompt.includes(file)) continue
      toHold.delete(file)
      hold(response)
      return
    }
    answers({ findings: [] })(request, response)
  })
  return {
    holdNext: (file: string) => new Promise<ServerResponse>((resolve) => toHold.set(file, resolve)),
  }
}

/** Resolves when whoever asked has hung up. */
async function closed(response: ServerResponse): Promise<void> {
  if (!response.closed) await new Promise((resolve) => response.once('close', resolve))
  assert.ok(!response.headersSent)
}

async function assertMovedOn(stack: Stack, pull: PullRequest, first: string, second: string): Promise<void> {
  await until(async () => (await statusOf(stack, pull, second)) === 'COMPLETED')
  assert.equal(await statusOf(stack, pull, first), 'SUPERSEDED')
  assert.deepEqual(
    pull.reviews().map(({ commit_id }) => commit_id),
    [second],
  )
}

async function statusOf({ db }: Stack, pull: PullRequest, head: string): Promise<string | undefined> {
  const { rows } = await db.query<{ status: string }>(
    `select status from workflow_jobs where repository = $1 and payload ->> 'head' = $2`,
    [pull.repository.fullName, head],
  )
  return rows[0]?.status
}

/** Whether a process runs that has this in its command line. */
function runs(words: string): boolean {
  return execFileSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' })
    .split('\n')
    .some((line) => /git/.test(line) && line.includes(words))
}
