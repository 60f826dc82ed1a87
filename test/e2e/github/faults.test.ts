import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { JOB_TYPES } from '../../../src/jobs/job-types.ts'
import { githubDescription, type PullRequest } from '../../github/server.ts'
import type { Failure } from '../../github/types.ts'
import { fails } from '../../support/llm-server.ts'
import { ORDERS } from './orders.ts'
import {
  assertNothingPosted,
  assertReviewed,
  assertWhole,
  ended,
  lastCheck,
  newestJob,
  open,
  told,
} from './setbacks.ts'
import { type Stack, startStack, summaryOf, threadsOf, until } from './stack.ts'

const skip = await githubDescription()
const timeout = 600_000

/** The steps of a review at GitHub: the method, and how the path ends. */
const STEPS = {
  read: ['GET', /\/pulls\/1/],
  fetch: ['POST', /\.git\/git-upload-pack/],
  create: ['POST', /\/pulls\/1\/reviews/],
  submit: ['POST', /\/pulls\/1\/reviews\/\d+\/events/],
  summary: ['POST', /\/issues\/1\/comments/],
  check: ['PATCH', /\/check-runs\/\d+/, /"status":"completed"/],
} as const satisfies Record<string, readonly [string, RegExp, RegExp?]>

type Step = keyof typeof STEPS

const PERMANENTLY = Number.POSITIVE_INFINITY

const UNAVAILABLE = 'GITHUB_UNAVAILABLE'
const UNREACHABLE = 'GITHUB_UNREACHABLE'
const LIMITED = 'GITHUB_RATE_LIMITED'

/** A failure that passes: when, what, how often, and the codes of the attempts that fail of it. */
type Passing = readonly [step: Step, failure: Failure, times: number, codes: string[], told?: RegExp]

const FIVE_MINUTES: Failure = { primaryLimit: { resetInSeconds: 300 } }
const A_MINUTE: Failure = { secondaryLimit: {} }
const HALF_A_MINUTE: Failure = { secondaryLimit: { status: 429, retryAfter: 30 } }
const A_SECOND: Failure = { secondaryLimit: { retryAfter: 1 } }
const WAITS_5 = /in about [56] minutes/
const WAITS_1 = /in about a minute/

const PASSING: readonly Passing[] = [
  // A GET is made again, once, by itself.
  ['read', { status: 500 }, 1, []],
  ['read', { status: 500 }, 2, [UNAVAILABLE]],
  ['read', FIVE_MINUTES, 1, [LIMITED], WAITS_5],
  ['read', A_MINUTE, 1, [LIMITED], WAITS_1],
  ['read', HALF_A_MINUTE, 1, [LIMITED], WAITS_1],
  ['read', A_SECOND, 1, []],
  ['read', { cut: 'before' }, 2, [UNREACHABLE]],
  ['read', { cut: 'after' }, 2, [UNREACHABLE]],
  ['read', { cut: 'body' }, 2, [UNREACHABLE]],

  ['fetch', { status: 500 }, 1, ['GIT_UNREACHABLE']],
  ['fetch', { status: 429 }, 1, ['GIT_UNREACHABLE']],
  // curl takes a new connection, once, where a kept one turns out to be closed.
  ['fetch', { cut: 'before' }, 1, []],
  ['fetch', { cut: 'before' }, 2, ['GIT_UNREACHABLE']],

  ['create', { status: 500 }, 1, [UNAVAILABLE]],
  ['create', { statusAfter: 502 }, 1, [UNAVAILABLE]],
  ['create', { statusAfter: 502 }, 3, [UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]],
  ['create', FIVE_MINUTES, 1, [LIMITED], WAITS_5],
  ['create', A_MINUTE, 1, [LIMITED], WAITS_1],
  ['create', HALF_A_MINUTE, 1, [LIMITED], WAITS_1],
  ['create', A_SECOND, 1, []],
  ['create', { cut: 'before' }, 1, [UNREACHABLE]],
  ['create', { cut: 'after' }, 1, [UNREACHABLE]],
  ['create', { cut: 'body' }, 1, [UNREACHABLE]],
  // Longer than an answer may be silent.
  ['create', { hold: 'after' }, 1, [UNREACHABLE]],

  ['submit', { status: 500 }, 1, [UNAVAILABLE]],
  ['submit', { statusAfter: 502 }, 1, [UNAVAILABLE]],
  ['submit', FIVE_MINUTES, 1, [LIMITED], WAITS_5],
  ['submit', A_MINUTE, 1, [LIMITED], WAITS_1],
  ['submit', HALF_A_MINUTE, 1, [LIMITED], WAITS_1],
  ['submit', { cut: 'before' }, 1, [UNREACHABLE]],
  ['submit', { cut: 'after' }, 1, [UNREACHABLE]],
  ['submit', { cut: 'body' }, 1, [UNREACHABLE]],
  ['submit', { hold: 'after' }, 1, [UNREACHABLE]],

  ['summary', { status: 500 }, 1, [UNAVAILABLE]],
  ['summary', { statusAfter: 502 }, 1, [UNAVAILABLE]],
  ['summary', FIVE_MINUTES, 1, [LIMITED], WAITS_5],
  ['summary', A_MINUTE, 1, [LIMITED], WAITS_1],
  ['summary', { cut: 'before' }, 1, [UNREACHABLE]],
  ['summary', { cut: 'after' }, 1, [UNREACHABLE]],
  ['summary', { cut: 'body' }, 1, [UNREACHABLE]],

  ['check', { status: 500 }, 1, [UNAVAILABLE]],
  ['check', { statusAfter: 502 }, 1, [UNAVAILABLE]],
  ['check', FIVE_MINUTES, 1, [LIMITED], WAITS_5],
  ['check', { cut: 'before' }, 1, [UNREACHABLE]],
  ['check', { cut: 'after' }, 1, [UNREACHABLE]],
]

/** A check run that is ended is not made to wait: what was left to do was to record that. */
const ENDED_ALREADY = ['statusAfter', 'cut']

test('failures of GitHub that pass leave one whole review', { skip, timeout, concurrency: 6 }, async (t) => {
  const stack = await startStack(t, { WORKER_SLOTS: '6' })
  await Promise.all(
    PASSING.map(([step, failure, times, codes, wait], index) =>
      t.test(`${step}: ${JSON.stringify(failure)}, ${times} times`, async () => {
        const name = `octo/passing${index}`
        const fault = fail(stack, name, step, failure, times)
        const pull = open(stack, name)
        const isTold = step !== 'check' || !ENDED_ALREADY.some((kind) => kind in failure)
        const job = await ended(stack, name, isTold ? undefined : () => times)
        assert.equal(fault.happened(), times)
        await assertWhole(pull)
        assert.deepEqual([job.status, job.error, job.failures], ['COMPLETED', null, codes])
        assert.equal(job.attempts, codes.length + 1)
        if (!isTold) return
        const waits = told(stack, name, 'Waiting')
        for (const [at, code] of codes.entries()) {
          assert.match(waits[at] ?? '', new RegExp(`\`${code}\`.*tried again by itself in about`, 's'))
          if (wait) assert.match(waits[at] ?? '', wait)
        }
        assert.equal(waits.length, codes.length)
      }),
    ),
  )
  assert.deepEqual(stack.github.violations, [])
})

/** A permission that is missing: when, which, what the job says, and how it is had to run again. */
type Lasting = readonly [
  step: Step,
  failure: Failure,
  code: string,
  named: RegExp,
  again: 'command' | 'replay',
]

const LASTING: readonly Lasting[] = [
  ['read', { permission: 'pull_requests=read' }, 'GITHUB_FORBIDDEN', /pull_requests: read/, 'command'],
  ['fetch', { status: 403 }, 'GIT_ACCESS_DENIED', /may read this repository/, 'command'],
  ['create', { permission: 'pull_requests=write' }, 'GITHUB_FORBIDDEN', /pull_requests: write/, 'command'],
  ['create', { permission: 'pull_requests=write' }, 'GITHUB_FORBIDDEN', /pull_requests: write/, 'replay'],
  ['submit', { permission: 'pull_requests=write' }, 'GITHUB_FORBIDDEN', /pull_requests: write/, 'command'],
  ['submit', { permission: 'pull_requests=write' }, 'GITHUB_FORBIDDEN', /pull_requests: write/, 'replay'],
]

test('failures of GitHub that last', { skip, timeout, concurrency: 6 }, async (t) => {
  const stack = await startStack(t, { WORKER_SLOTS: '6' })
  const { github, api } = stack
  const subtests: Promise<void>[] = []
  const row = (what: string, work: (name: string) => Promise<void>) => {
    const name = `octo/lasting${subtests.length}`
    subtests.push(t.test(what, { timeout: 90_000 }, () => work(name)))
  }

  for (const [step, failure, code, named, again] of LASTING) {
    row(`${step}: ${JSON.stringify(failure)} is told; mended, ${again} reviews`, async (name) => {
      fail(stack, name, step, failure, 1)
      const pull = open(stack, name)
      const job = await ended(stack, name)
      assert.deepEqual([job.status, job.attempts, job.failures], ['FAILED', 1, [code]])
      assert.equal(job.error?.code, code)
      assert.match(job.error.help, named)
      assertNothingPosted(pull)
      await assertNotReviewed(pull, code, named)

      if (again === 'replay') await api.replay(job.id)
      else {
        pull.comment('octo', '@kody review')
        await until(async () => (await newestJob(stack, name)).id !== job.id)
      }
      const second = await ended(stack, name)
      assert.deepEqual([second.status, second.attempts], ['COMPLETED', 1])
      await assertWhole(pull, { runs: 2 })
    })
  }

  row('GitHub fails at every attempt: the job fails, and says so', async (name) => {
    fail(stack, name, 'submit', { status: 500 }, PERMANENTLY)
    const pull = open(stack, name)
    const job = await ended(stack, name)
    const { maxAttempts } = JOB_TYPES['code-review']
    assert.deepEqual([job.status, job.attempts], ['FAILED', maxAttempts])
    assert.deepEqual(job.failures, Array(maxAttempts).fill(UNAVAILABLE))
    await assertNotReviewed(pull, UNAVAILABLE, /githubstatus\.com/)
    assert.equal(told(stack, name, 'Waiting').length, maxAttempts - 1)
    assertNothingPosted(pull)
  })

  row(
    'a position that GitHub refuses: its finding stands in the review, the others at their lines',
    async (name) => {
      github.fail({
        path: new RegExp(`^/(repos/${name}/|graphql$)`),
        body: /kodus:finding/,
        with: { unresolvable: { path: 'orders.py', line: 14 } },
      })
      const pull = open(stack, name)
      const job = await ended(stack, name)
      assert.deepEqual([job.status, job.attempts], ['COMPLETED', 1])
      assert.deepEqual(
        threadsOf(pull).map(({ at }) => at),
        ['orders.py:6'],
      )
      assert.deepEqual(
        pull.reviews().map(({ state }) => state),
        ['COMMENTED'],
      )
      assert.match(pull.reviews()[0].body, /At lines that cannot be commented on here:\n\n` orders\.py:14 `/)
      assert.match(summaryOf(pull).body, /\*\*2 findings open/)
      assert.match((await lastCheck(pull)).output.title, /^2 findings open/)
    },
  )

  row('no summary may be written: the review stands, the check says the rest', async (name) => {
    fail(stack, name, 'summary', { permission: 'issues=write' }, 1)
    const pull = open(stack, name)
    const job = await ended(stack, name)
    assert.deepEqual([job.status, job.attempts, job.failures], ['COMPLETED', 1, []])
    assertReviewed(pull)
    assert.deepEqual(pull.comments(), [])
    assert.match((await lastCheck(pull)).output.summary, /\*\*2 findings open/)
    const line = await stack.worker.line(({ jobId, code }) => jobId === job.id && code === 'GITHUB_FORBIDDEN')
    assert.match(line.msg, /could not post the summary: .*issues: write/)
  })

  row('no check runs may be written: the review and its summary are all the same', async (name) => {
    const path = new RegExp(`^/repos/${name}/check-runs`)
    github.fail({ path, times: PERMANENTLY, with: { permission: 'checks=write' } })
    const pull = open(stack, name)
    const job = await ended(stack, name)
    assert.deepEqual([job.status, job.attempts, job.failures], ['COMPLETED', 1, []])
    assertReviewed(pull)
    assert.match(summaryOf(pull).body, /\*\*2 findings open/)
    assert.deepEqual(pull.repository.checkRuns(pull.head()), [])
  })

  row('no check runs may be written, and no review: the one comment says why', async (name) => {
    const path = new RegExp(`^/repos/${name}/check-runs`)
    github.fail({ path, times: PERMANENTLY, with: { permission: 'checks=write' } })
    fail(stack, name, 'create', { permission: 'pull_requests=write' }, 1)
    const pull = open(stack, name)
    const job = await ended(stack, name)
    assert.equal(job.status, 'FAILED')
    await until(() => pull.comments().length > 0)
    assert.match(summaryOf(pull).body, /`GITHUB_FORBIDDEN`.*pull_requests: write/s)
  })

  await Promise.all(subtests)
  assert.deepEqual(github.violations, [])
})

/** What comes of resolving a thread, whose first attempt fails so. */
const RESOLVING: readonly (readonly [Failure, codes: string[], resolved: boolean])[] = [
  [{ graphqlErrors: [{ message: 'Something went wrong while executing your query.' }] }, [UNAVAILABLE], true],
  [{ graphqlErrors: [{ type: 'INTERNAL', message: 'Oops' }] }, [UNAVAILABLE], true],
  [{ graphqlErrors: [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }] }, [LIMITED], true],
  [{ graphqlErrors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }] }, [], false],
  [{ graphqlErrors: [{ type: 'NOT_FOUND', message: 'Could not resolve to a node' }] }, [], false],
  [{ permission: 'contents=write' }, [], false],
  [{ status: 502 }, [UNAVAILABLE], true],
  [{ statusAfter: 502 }, [UNAVAILABLE], true],
  [A_MINUTE, [LIMITED], true],
  [{ cut: 'before' }, [UNREACHABLE], true],
  [{ cut: 'after' }, [UNREACHABLE], true],
  [{ cut: 'body' }, [UNREACHABLE], true],
]

test('a thread that cannot be resolved at once is answered once', {
  skip,
  timeout,
  concurrency: 6,
}, async (t) => {
  const stack = await startStack(t, { WORKER_SLOTS: '6' })
  const { github } = stack
  github.app.permissions.contents = 'write'
  await Promise.all(
    RESOLVING.map(([failure, codes, resolved], index) =>
      t.test(JSON.stringify(failure), async () => {
        const name = `octo/resolving${index}`
        const pull = open(stack, name)
        const first = await ended(stack, name)
        const [thread] = pull.threads()
        assert.ok(thread)
        const fault = github.fail({
          path: /^\/graphql$/,
          body: new RegExp(`resolve.*${thread.id}`, 'is'),
          with: failure,
        })
        pull.push(ORDERS.labelMended)
        await until(async () => (await newestJob(stack, name)).id !== first.id)
        const job = await ended(stack, name)
        assert.equal(fault.happened(), 1)
        assert.deepEqual([job.status, job.error, job.failures], ['COMPLETED', null, codes])
        assert.deepEqual(
          threadsOf(pull).map(({ at, isResolved, said }) => [at, isResolved, said]),
          [
            ['orders.py:null', resolved, 2],
            ['orders.py:12', false, 1],
          ],
        )
        assert.match(summaryOf(pull).body, /\*\*1 finding open.*\*\* 0 new, 1 from before, 1 fixed\./)
        assert.match((await lastCheck(pull)).output.title, /^1 finding open/)
        assert.equal(pull.repository.checkRuns(pull.head()).length, 1)
        assert.equal(told(stack, name, 'Waiting').length, codes.length)
      }),
    ),
  )
  assert.deepEqual(github.violations, [])
})

test('a model that fails for good is no approval', { skip, timeout }, async (t: TestContext) => {
  const stack = await startStack(t)
  stack.model.behave(fails(401, { message: 'Incorrect API key provided', code: 'invalid_api_key' }))
  const pull = open(stack, 'octo/model')
  const job = await ended(stack, 'octo/model')
  assert.deepEqual([job.status, job.attempts, job.failures], ['FAILED', 1, ['MODEL_UNAUTHORIZED']])
  await assertNotReviewed(pull, 'MODEL_UNAUTHORIZED', /Set LLM_API_KEY to a key/)
  assertNothingPosted(pull)
})

function fail({ github }: Stack, name: string, step: Step, failure: Failure, times: number) {
  const [method, path, body] = STEPS[step] as readonly [string, RegExp, RegExp?]
  const at = new RegExp(`^(/repos)?/${name}${path.source}$`)
  return github.fail({ method, path: at, times, with: failure, ...(body && { body }) })
}

/** Neutral, with the reason and what to do about it: nothing that looks like an approval. */
async function assertNotReviewed(pull: PullRequest, code: string, todo: RegExp): Promise<void> {
  const { conclusion, output } = await lastCheck(pull)
  assert.equal(conclusion, 'neutral')
  assert.match(output.title, /^Not reviewed: /)
  assert.match(output.summary, new RegExp(`was \\*\\*not\\*\\* reviewed\\..*\`${code}\``, 's'))
  assert.match(output.summary, todo)
}
