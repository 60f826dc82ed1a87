import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { GitHub, PullRequest } from '../../github/server.ts'
import { githubDescription } from '../../github/server.ts'
import { answers } from '../../support/llm-server.ts'
import { append, MISTAKE_OF_THE_BASE, ONE_MORE_MISTAKE, ORDERS, openReviewed, prepend } from './orders.ts'
import { checkOf, linesToRead, promptsOf, type Stack, startStack, summaryOf, threadsOf } from './stack.ts'

const skip = await githubDescription()
const timeout = 240_000

const IS = { rule: 'python/is-literal', isResolved: false, said: 1 }
const EXCEPT = { rule: 'python/bare-except', isResolved: false, said: 1 }

test('what becomes of a pull request, from its first commit on', {
  skip,
  timeout,
}, async (t: TestContext) => {
  const stack = await startStack(t)
  const { github, model } = stack
  t.afterEach(() => assert.deepEqual(github.violations, []))

  await t.test(
    'an opened pull request gets one review at its lines, suggestions, one summary, and a check run to its end',
    async () => {
      const { pull } = await openReviewed(stack, 'octo/opened')
      assert.deepEqual(threadsOf(pull), [
        { at: 'orders.py:6', ...IS },
        { at: 'orders.py:14', ...EXCEPT },
      ])
      const [first, second] = pull.reviewComments()
      assert.match(first.body, /\n```suggestion\n {4}if order\.status == "paid":\n```$/)
      assert.doesNotMatch(second.body, /```/, 'a rule without a replacement suggests none')
      assert.deepEqual(
        pull.reviews().map(({ state, commit_id }) => [state, commit_id]),
        [['COMMENTED', pull.head()]],
      )
      assert.match(summaryOf(pull).body, /\*\*2 findings open \(2 high\)\.\*\* 2 new\./)
      assert.deepEqual(statesOfCheckRuns(github, 'octo/opened'), ['in_progress', 'completed'])
      const { conclusion, annotations } = await checkOf(pull)
      assert.equal(conclusion, 'neutral')
      assert.deepEqual(
        annotations.map((each: { path: string; start_line: number }) => `${each.path}:${each.start_line}`),
        ['orders.py:6', 'orders.py:14'],
      )
      const [job, ...others] = await stack.api.jobs('octo/opened')
      assert.deepEqual(others, [])
      assert.equal(job?.status, 'COMPLETED')
      assert.equal(job.reviewUrl, pull.reviews()[0].html_url)
    },
  )

  await t.test('a webhook that comes again, by its id or by its body, changes nothing', async () => {
    const { pull } = await openReviewed(stack, 'octo/redelivered')
    const before = shownOf(pull)
    const opened = github.webhooks.deliveries.findLast(({ action }) => action === 'opened')
    assert.ok(opened)
    const prompts = await promptsOf(stack, async () => {
      await github.webhooks.redeliver(opened.guid)
      const answer = await deliverAs(stack, randomUUID(), opened.payload)
      assert.deepEqual([answer.status, answer.body.duplicate], [202, true])
    })
    assert.deepEqual(shownOf(pull), before)
    assert.equal((await stack.api.jobs('octo/redelivered')).length, 1)
    assert.deepEqual(prompts, [])
  })

  await t.test(
    'a push is answered with what is new in it alone, read from its new lines alone',
    async (t) => {
      model.behave(
        answers({ findings: [remarkOn('        return parse(path)'), remarkOn('    if order.total is 0:')] }),
      )
      t.after(() => model.behave(answers({ findings: [] })))
      const { pull, fetched } = await openReviewed(stack, 'octo/pushed', manyFiles())
      const [first, summary] = [shownOf(pull), summaryOf(pull)]
      assert.deepEqual(
        first.threads.map(({ at, rule }) => [at, rule]),
        [
          ['orders.py:6', 'python/is-literal'],
          ['orders.py:13', 'model/bug'],
          ['orders.py:14', 'python/bare-except'],
        ],
      )

      const sentBefore = github.git.bytesSent
      const prompts = await promptsOf(stack, () => pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE)))
      const added = threadsOf(pull).slice(first.threads.length)
      assert.deepEqual(threadsOf(pull).slice(0, first.threads.length), first.threads, 'as they were')
      assert.deepEqual(added, [{ at: 'orders.py:19', ...IS }])
      assert.equal(pull.reviews().length, 2)

      const edited = summaryOf(pull)
      assert.deepEqual([edited.id, edited.body === summary.body], [summary.id, false], 'edited in its place')
      assert.match(edited.body, /\*\*4 findings open.*\*\* 1 new, 3 from before\./)
      assert.deepEqual(
        prompts.flatMap(linesToRead),
        ONE_MORE_MISTAKE.split('\n')
          .slice(0, -1)
          .map((line) => line.trimEnd()),
      )
      const sent = github.git.bytesSent - sentBefore
      assert.ok(sent * 5 < fetched, `the first fetch brought ${fetched} bytes, the second ${sent}`)
      const [, job] = await stack.api.jobs('octo/pushed')
      assert.ok(job?.review.fetchedBytes > 0 && job?.review.fetchedBytes <= sent, 'as the job tells')
    },
  )

  await t.test(
    'a finding that is mended is answered, and its thread resolved where the App may',
    async () => {
      const { pull } = await openReviewed(stack, 'octo/mended')
      pull.push(ORDERS.labelMended)
      await stack.idle()
      assert.deepEqual(threadsOf(pull), [
        { at: 'orders.py:null', ...IS, isResolved: true, said: 2 },
        { at: 'orders.py:12', ...EXCEPT },
      ])
      assert.match(summaryOf(pull).body, /\*\*1 finding open.*\*\* 0 new, 1 from before, 1 fixed\./)
      assert.equal(
        pull.reviews().filter(({ body }) => body !== '').length,
        1,
        'there is nothing new to review',
      )
    },
  )

  await t.test('where the App may not resolve threads, a mended finding is answered', async (t) => {
    github.app.permissions.contents = 'read'
    t.after(() => {
      github.app.permissions.contents = 'write'
    })
    const { pull } = await openReviewed(stack, 'octo/answered')
    pull.push(ORDERS.labelMended)
    await stack.idle()
    assert.deepEqual(threadsOf(pull), [
      { at: 'orders.py:null', ...IS, said: 2 },
      { at: 'orders.py:12', ...EXCEPT },
    ])
  })

  await t.test(
    'forced back to an earlier head, it repeats nothing, and opens the mended thread again',
    async () => {
      const { pull, first } = await openReviewed(stack, 'octo/forced-back')
      pull.push(ORDERS.labelMended)
      await stack.idle()
      assert.deepEqual(threadsOf(pull)[0]?.isResolved, true)
      pull.resetTo(first)
      await stack.idle()
      assert.deepEqual(threadsOf(pull), [
        { at: 'orders.py:6', ...IS, said: 3 },
        { at: 'orders.py:14', ...EXCEPT },
      ])
      assert.match(summaryOf(pull).body, /\*\*2 findings open.*\*\* 0 new, 1 from before, 1 back again\./)
    },
  )

  await t.test('reopened at a head that was reviewed, it is not reviewed again', async () => {
    const { pull } = await openReviewed(stack, 'octo/reopened')
    const before = shownOf(pull)
    const prompts = await promptsOf(stack, () => {
      pull.close()
      pull.reopen()
    })
    assert.deepEqual(shownOf(pull), before)
    assert.deepEqual(prompts, [])
    const jobs = await stack.api.jobs('octo/reopened')
    assert.deepEqual(
      jobs.map(({ status, review }) => [status, review !== null]),
      [
        ['COMPLETED', true],
        ['COMPLETED', false],
      ],
    )
  })

  await t.test(
    'a rebase onto a base that has moved repeats nothing, and says nothing of the base',
    async () => {
      const { repository, pull } = await openReviewed(stack, 'octo/rebased')
      const base = repository.commit('main', prepend(ORDERS.base, MISTAKE_OF_THE_BASE))
      const prompts = await promptsOf(stack, () =>
        pull.push(prepend(ORDERS.twoMistakes, MISTAKE_OF_THE_BASE), { onto: base }),
      )
      assert.deepEqual(threadsOf(pull), [
        { at: 'orders.py:12', ...IS },
        { at: 'orders.py:20', ...EXCEPT },
      ])
      assert.match(summaryOf(pull).body, /\*\*2 findings open.*\*\* 0 new, 2 from before\./)
      assert.deepEqual(prompts.flatMap(linesToRead), [])
    },
  )

  await t.test(
    'a merge of the base into the branch repeats nothing, and says nothing of the base',
    async () => {
      const { repository, pull } = await openReviewed(stack, 'octo/merged-into')
      const base = repository.commit('main', prepend(ORDERS.base, MISTAKE_OF_THE_BASE))
      const tree = repository.git('merge-tree', '--write-tree', pull.head(), base)
      const merge = repository.git('commit-tree', tree, '-p', pull.head(), '-p', base, '-m', 'Merge main')
      const prompts = await promptsOf(stack, () => repository.push('feature', merge))
      assert.deepEqual(threadsOf(pull), [
        { at: 'orders.py:12', ...IS },
        { at: 'orders.py:20', ...EXCEPT },
      ])
      assert.match(summaryOf(pull).body, /\*\*2 findings open.*\*\* 0 new, 2 from before\./)
      assert.deepEqual(prompts.flatMap(linesToRead), [])
    },
  )
})

/** All that people see of it. */
function shownOf(pull: PullRequest) {
  return {
    threads: threadsOf(pull),
    reviews: pull.reviews(),
    comments: pull.comments(),
    checks: pull.repository.checkRuns(pull.head()),
  }
}

/** Other files that the pull request adds, of 200 KB in all. */
function manyFiles(): Record<string, string> {
  const names = Array.from({ length: 20 }, (_, index) => `data/part${index}.txt`)
  return Object.fromEntries(names.map((name) => [name, randomLines()]))
}

function randomLines(): string {
  return Array.from({ length: 200 }, () => `${randomUUID()} ${randomUUID()}\n`).join('')
}

/** A finding as a model tells it. */
function remarkOn(quote: string) {
  return {
    path: 'orders.py',
    quote,
    what: 'It does not do what it says.',
    why: 'Somebody loses money.',
    trigger: 'An order of nothing.',
    advice: 'Do it otherwise.',
    severity: 'high',
    replacement: null,
  }
}

/** The states that check runs of a repository were brought to, in the order of the requests. */
function statesOfCheckRuns({ requests }: GitHub, repository: string): string[] {
  return requests
    .filter(({ method, path }) => method !== 'GET' && path.startsWith(`/repos/${repository}/check-runs`))
    .map(({ body }) => (body as { status: string }).status)
}

/** Sends the body of a webhook again, signed, as another delivery. */
async function deliverAs({ github, webhookUrl }: Stack, guid: string, payload: unknown) {
  const body = JSON.stringify(payload)
  const signature = createHmac('sha256', github.app.webhookSecret).update(body).digest('hex')
  const response = await fetch(webhookUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': 'pull_request',
      'x-github-delivery': guid,
      'x-hub-signature-256': `sha256=${signature}`,
    },
    body,
  })
  return { status: response.status, body: (await response.json()) as { duplicate?: boolean } }
}
