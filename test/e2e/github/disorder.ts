import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PullRequest } from '../../github/server.ts'
import { answers, type Behaviour } from '../../support/llm-server.ts'
import { append, ONE_MORE_MISTAKE, ORDERS, openReviewed } from './orders.ts'
import { checkOf, promptsOf, type Stack, startStack, until } from './stack.ts'

/** What happens when webhooks and their pull requests are out of step, over the queue that `queueEnv` names. */
export function disorder(
  queueEnv: () => Promise<Record<string, string>>,
  { skip }: { skip: string | false },
): void {
  const timeout = 240_000
  test('what comes too late, too early, or never', { skip, timeout }, async (t: TestContext) => {
    // One at a time: a job that waits is still waiting when the next thing happens.
    const stack = await startStack(t, { ...(await queueEnv()), WORKER_SLOTS: '1' })
    const { github } = stack
    t.afterEach(() => assert.deepEqual(github.violations, []))

    for (const [what, end] of [
      ['closed', (pull: PullRequest) => pull.close()],
      ['merged', (pull: PullRequest) => pull.merge()],
    ] as const) {
      await t.test(`a pull request that is ${what} while it is read is not reviewed`, async () => {
        const pull = open(stack, `octo/${what}-while-read`)
        const release = await heldModel(stack)
        end(pull)
        await github.webhooks.settled()
        release()
        await stack.idle()
        assert.deepEqual(shown(pull), { reviews: [], comments: [], check: ['completed', 'neutral'] })
      })

      await t.test(`a pull request that is ${what} while its job waits shows nothing at all`, async () => {
        const running = open(stack, `octo/${what}-in-front`)
        const release = await heldModel(stack)
        const waiting = open(stack, `octo/${what}-while-waiting`)
        end(waiting)
        await github.webhooks.settled()
        const prompts = await promptsOf(stack, release)
        assert.deepEqual(shown(waiting), { reviews: [], comments: [], check: [] })
        assert.deepEqual(prompts, [])
        assert.equal(running.reviews().length, 1)
        const [job] = await stack.api.jobs(`octo/${what}-while-waiting`)
        assert.equal(job?.status, 'CANCELLED')
      })
    }

    await t.test(
      'a review that was committed to is posted whole, though the pull request is closed meanwhile',
      async () => {
        const fault = github.fail({
          method: 'POST',
          path: /\/octo\/closed-while-posted\/pulls\/1\/reviews$/,
          with: { hold: 'before' },
        })
        const posting = fault.next()
        const pull = open(stack, 'octo/closed-while-posted')
        await posting
        pull.close()
        await github.webhooks.settled()
        fault.release()
        await stack.idle()
        const { reviews, comments, check } = shown(pull)
        assert.deepEqual([reviews, comments.length, check], [[pull.head()], 1, ['completed', 'neutral']])
      },
    )

    await t.test(
      'of two pushes in one second, told in the wrong order, the newest head alone is reviewed',
      async () => {
        const { pull, first } = await openReviewed(stack, 'octo/two-pushes')
        github.clock.freeze()
        github.webhooks.hold()
        const older = pull.push(append(ORDERS.twoMistakes, '\n# more to come\n'))
        const newer = pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE))
        const [ofOlder, ofNewer] = github.webhooks.held().map(({ guid }) => guid)
        assert.ok(ofOlder && ofNewer)
        await github.webhooks.release([ofNewer, ofOlder])
        await github.webhooks.resume()
        github.clock.unfreeze()
        await stack.idle()
        assert.deepEqual(
          pull.reviews().map(({ commit_id }) => commit_id),
          [first, newer],
        )
        assert.equal((await checkOf(pull, newer)).status, 'completed')
        assert.deepEqual(pull.repository.checkRuns(older), [])
      },
    )

    await t.test(
      'told of an older head of the same second while it reads the newest, it posts that review',
      async () => {
        const { pull, first } = await openReviewed(stack, 'octo/late-news')
        github.clock.freeze()
        github.webhooks.hold()
        const older = pull.push(append(ORDERS.twoMistakes, '\n# more to come\n'))
        const newer = pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE))
        const [ofOlder, ofNewer] = github.webhooks.held().map(({ guid }) => guid)
        assert.ok(ofOlder && ofNewer)
        const held = heldModel(stack)
        await github.webhooks.release([ofNewer])
        const release = await held
        await github.webhooks.release([ofOlder])
        await github.webhooks.resume()
        github.clock.unfreeze()
        const prompts = await promptsOf(stack, release)
        assert.deepEqual(
          pull.reviews().map(({ commit_id }) => commit_id),
          [first, newer],
        )
        assert.deepEqual(prompts, [], 'the model was asked once')
        assert.equal((await checkOf(pull, newer)).status, 'completed')
        assert.ok(pull.repository.checkRuns(older).every(({ status }) => status === 'completed'))
      },
    )

    await t.test(
      'a head whose webhook never came is reviewed when the next one comes, and once',
      async () => {
        const { pull, first } = await openReviewed(stack, 'octo/lost-webhook')
        github.webhooks.hold()
        pull.push(append(ORDERS.twoMistakes, '\n# more to come\n'))
        const newer = pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE))
        const [, lost] = github.webhooks.held().map(({ guid }) => guid)
        assert.ok(lost)
        github.webhooks.drop([lost])
        await github.webhooks.resume()
        await stack.idle()
        const reviewed = () => pull.reviews().map(({ commit_id }) => commit_id)
        assert.deepEqual(reviewed(), [first, newer])
        // GitHub is asked for it, as the sweep does.
        const prompts = await promptsOf(stack, () => github.webhooks.redeliver(lost))
        assert.deepEqual(reviewed(), [first, newer])
        assert.deepEqual(prompts, [])
      },
    )

    await t.test('a draft is not reviewed, and says so; marked ready, it is', async () => {
      const repository = github.createRepository('octo/draft', { files: ORDERS.base })
      repository.commit('feature', ORDERS.twoMistakes)
      const pull = repository.openPullRequest({ head: 'feature', draft: true })
      const prompts = await promptsOf(stack, () => {})
      assert.deepEqual(shown(pull), { reviews: [], comments: [], check: ['completed', 'neutral'] })
      assert.match((await checkOf(pull)).output.title, /^Not reviewed: it is a draft/)
      assert.deepEqual(prompts, [])
      pull.markReady()
      await stack.idle()
      assert.deepEqual(shown(pull).reviews, [pull.head()])
      assert.match((await checkOf(pull)).output.title, /^2 findings open/)
    })

    await t.test('a draft is reviewed where the base has `runOnDraft: true`', async () => {
      const config = { 'kodus-config.yml': 'runOnDraft: true\n' }
      const repository = github.createRepository('octo/draft-wanted', {
        files: { ...ORDERS.base, ...config },
      })
      repository.commit('feature', ORDERS.twoMistakes)
      const pull = repository.openPullRequest({ head: 'feature', draft: true })
      await stack.idle()
      assert.deepEqual(shown(pull).reviews, [pull.head()])
      const prompts = await promptsOf(stack, () => pull.markReady())
      assert.deepEqual([shown(pull).reviews, prompts], [[pull.head()], []], 'and not again when it is ready')
    })
  })
}

function open({ github }: Stack, name: string): PullRequest {
  const repository = github.createRepository(name, { files: ORDERS.base })
  repository.commit('feature', ORDERS.twoMistakes)
  return repository.openPullRequest({ head: 'feature' })
}

/** Waits until the model is asked, which does not answer before it is released. */
async function heldModel({ model }: Stack): Promise<() => void> {
  let release: (() => void) | undefined
  const nothing = answers({ findings: [] })
  const hold: Behaviour = (request, response) => {
    release = () => nothing(request, response)
  }
  model.behave(hold, nothing)
  await until(() => release !== undefined)
  return () => release?.()
}

/** What people see: the commits that were reviewed, the conversation, and the newest check of the head. */
function shown(pull: PullRequest) {
  const [check] = pull.repository.checkRuns(pull.head())
  return {
    reviews: pull.reviews().map(({ commit_id }) => commit_id),
    comments: pull.comments().map(({ body }) => body),
    check: check ? [check.status, check.conclusion] : [],
  }
}
