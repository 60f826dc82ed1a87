import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { call } from '../../github/call.ts'
import { githubDescription, type PullRequest } from '../../github/server.ts'
import { append, ONE_MORE_MISTAKE, ORDERS } from './orders.ts'
import { assertReviewed, ended, newestJob, type Recorded } from './setbacks.ts'
import { type Stack, startStack, summaryOf, until } from './stack.ts'

const skip = await githubDescription()
const timeout = 240_000

test('with a token instead of an App', { skip, timeout }, async (t: TestContext) => {
  const stack = await startStack(t, (github) => ({
    GITHUB_APP_ID: '',
    GITHUB_APP_PRIVATE_KEY: '',
    GITHUB_TOKEN: github.createToken('hubot'),
  }))
  const { github } = stack
  t.afterEach(() => assert.deepEqual(github.violations, []))

  await t.test('a pull request gets a whole review, and no check run', async () => {
    const pull = open(stack, 'octo/token')
    const job = await ended(stack, 'octo/token')
    assert.deepEqual([job.status, job.attempts], ['COMPLETED', 1])
    assertReviewed(pull)
    assert.equal(pull.reviews()[0].user.login, 'hubot')
    assert.match(summaryOf(pull).body, /\*\*2 findings open \(2 high\)\.\*\* 2 new\./)
    assert.equal(pull.comments().length, 1)
    assert.deepEqual(
      github.requests.filter(({ path }) => /check-runs/.test(path)),
      [],
    )
  })

  await t.test('a review that fails is told in the one comment, until the next one rewrites it', async () => {
    const name = 'octo/told'
    const creating = { method: 'POST', path: new RegExp(`/${name}/pulls/1/reviews$`) }
    github.fail({ ...creating, with: { permission: 'pull_requests=write' } })
    const pull = open(stack, name)
    const first = await ended(stack, name)
    assert.equal(first.status, 'FAILED')
    await until(() => pull.comments().length > 0)
    const { id, body } = summaryOf(pull)
    assert.match(body, /^<!-- kodus:summary:.*\n`[0-9a-f]{7}`: This change was \*\*not\*\* reviewed\.\n/)
    assert.match(body, /`GITHUB_FORBIDDEN`.*pull_requests: write/s)

    await nextJob(stack, name, first, () => pull.comment('octo', '@kody review'))
    assertReviewed(pull)
    const reviewed = summaryOf(pull)
    assert.equal(reviewed.id, id)
    assert.match(reviewed.body, /^<!-- kodus:summary:.*\n[^\n]*Review of /)
    assert.doesNotMatch(reviewed.body, /FORBIDDEN/)

    github.fail({ ...creating, with: { permission: 'pull_requests=write' } })
    const second = await newestJob(stack, name)
    const failed = await nextJob(stack, name, second, () =>
      pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE)),
    )
    assert.equal(failed.status, 'FAILED')
    await until(() => summaryOf(pull).body !== reviewed.body)
    const above = summaryOf(pull)
    assert.equal(above.id, id)
    assert.match(above.body, /not\*\* reviewed.*FORBIDDEN.*\*\*2 findings open \(2 high\)/s)

    await stack.api.replay(failed.id)
    await ended(stack, name)
    assert.equal(summaryOf(pull).id, id)
    assert.match(summaryOf(pull).body, /\*\*3 findings open \(3 high\)\.\*\* 1 new, 2 from before\./)
    assert.doesNotMatch(summaryOf(pull).body, /FORBIDDEN|2 findings/)
  })

  await t.test("a stranger's change waits for a maintainer, who is told so", async () => {
    const shop = github.createRepository('octo/strange', { files: ORDERS.base })
    shop.setPermission('hubot', 'write')
    const fork = shop.fork('stranger')
    fork.commit('feature', ORDERS.twoMistakes)
    const pull = shop.openPullRequest({ from: fork, head: 'feature' })
    const job = await ended(stack, 'octo/strange')
    assert.equal(job.status, 'COMPLETED')
    await until(() => pull.comments().length > 0)
    assert.match(summaryOf(pull).body, /nothing was reviewed\. A maintainer may comment `@kody review`\.$/m)
    assert.deepEqual(pull.reviews(), [])

    await nextJob(stack, 'octo/strange', job, () => pull.comment('octo', '@kody review'))
    assertReviewed(pull)
    assert.match(summaryOf(pull).body, /\*\*2 findings open/)
    assert.doesNotMatch(summaryOf(pull).body, /maintainer/)
  })

  await t.test('what nobody has to do anything about is not commented on', async () => {
    const repository = repositoryOf(stack, 'octo/draft')
    const pull = repository.openPullRequest({ head: 'feature', draft: true })
    const job = await ended(stack, 'octo/draft')
    assert.equal(job.status, 'COMPLETED')
    // Asked for afterwards, and the only one that is answered.
    pull.comment('octo', '@kody help')
    await until(() => pull.comments().length > 1)
    assert.deepEqual(
      pull.comments().map(({ body }) => body.split(':')[1]),
      [undefined, 'answer'],
    )
  })

  await t.test(
    'a review that a person has begun with the same account is left alone, and said to be in the way',
    async () => {
      const name = 'octo/by-hand'
      github.webhooks.hold()
      const pull = open(stack, name)
      const token = github.createToken('hubot')
      const byHand = await call(github, token, `POST /repos/${name}/pulls/1/reviews`, {
        body: 'My own thoughts',
      })
      assert.equal(byHand.status, 200)
      await github.webhooks.resume()
      const job = await ended(stack, name)
      assert.deepEqual([job.status, job.attempts, job.failures], ['FAILED', 1, ['GITHUB_PENDING_REVIEW']])
      await until(() => pull.comments().length > 0)
      assert.match(summaryOf(pull).body, /`GITHUB_PENDING_REVIEW`: .*hubot.*Submit or discard/s)
      assert.deepEqual(
        pull.reviews().map(({ id, state, body }) => [id, state, body]),
        [[byHand.body.id, 'PENDING', 'My own thoughts']],
      )

      const discarded = await call(github, token, `DELETE /repos/${name}/pulls/1/reviews/${byHand.body.id}`)
      assert.equal(discarded.status, 200)
      await nextJob(stack, name, job, () => pull.comment('octo', '@kody review'))
      assertReviewed(pull)
      assert.match(summaryOf(pull).body, /\*\*2 findings open/)
      assert.doesNotMatch(summaryOf(pull).body, /PENDING/)
    },
  )
})

function repositoryOf({ github }: Stack, name: string) {
  const repository = github.createRepository(name, { files: ORDERS.base })
  repository.setPermission('hubot', 'write')
  repository.commit('feature', ORDERS.twoMistakes)
  return repository
}

function open(stack: Stack, name: string): PullRequest {
  return repositoryOf(stack, name).openPullRequest({ head: 'feature' })
}

/** Does what asks for another review, and waits for its end. */
async function nextJob(
  stack: Stack,
  name: string,
  before: { id: string },
  work: () => unknown,
): Promise<Recorded> {
  work()
  await until(async () => (await newestJob(stack, name)).id !== before.id)
  return await ended(stack, name)
}
