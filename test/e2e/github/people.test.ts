import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { githubDescription, type PullRequest } from '../../github/server.ts'
import { append, ONE_MORE_MISTAKE, ORDERS, openReviewed } from './orders.ts'
import { checkOf, promptsOf, startStack, summaryOf, threadsOf } from './stack.ts'

const skip = await githubDescription()
const timeout = 240_000

test('what people say, in comments and in kodus-config.yml', { skip, timeout }, async (t: TestContext) => {
  const stack = await startStack(t)
  const { github } = stack
  t.afterEach(() => assert.deepEqual(github.violations, []))

  await t.test("a stranger's fork waits for the command of somebody who may write", async () => {
    const shop = github.createRepository('octo/shop', { files: ORDERS.base })
    shop.setPermission('maria', 'write')
    const fork = shop.fork('stranger')
    fork.commit('feature', ORDERS.twoMistakes)
    const pull = shop.openPullRequest({ from: fork, head: 'feature' })
    const waiting = await promptsOf(stack, () => {})
    assert.deepEqual(saidIn(pull), { reviews: 0, answers: [] })
    assert.equal((await checkOf(pull)).conclusion, 'neutral')
    assert.equal((await checkOf(pull)).output.title, 'Waits for a maintainer')

    const commanded = await promptsOf(stack, async () => {
      pull.comment('stranger', '@kody review')
      await stack.idle()
      pull.comment('stranger', 'Please!\n\n@kody review --force')
    })
    const refusal = 'I take commands from people who may write to this repository'
    assert.deepEqual(saidIn(pull), { reviews: 0, answers: [refusal] }, 'one answer to both')
    assert.deepEqual([...waiting, ...commanded], [], 'no money was spent')
    assert.equal(github.git.fetches, 0, 'and nothing fetched')

    pull.comment('maria', '@kody review')
    await stack.idle()
    assert.deepEqual(
      threadsOf(pull).map(({ at }) => at),
      ['orders.py:6', 'orders.py:14'],
    )
    assert.match((await checkOf(pull)).output.title, /^2 findings open/)
    const asked = github.requests.filter(({ path }) => path.startsWith('/stranger/'))
    assert.deepEqual(asked, [], 'the fork is read by way of the repository it wants to go to')
  })

  await t.test('paused, a push is not reviewed until somebody resumes', async () => {
    const { pull, first } = await openReviewed(stack, 'octo/paused')
    pull.comment('octo', '@kody pause')
    await stack.idle()
    const prompts = await promptsOf(stack, () => pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE)))
    assert.deepEqual([prompts, reviewedCommits(pull)], [[], [first]])
    assert.equal((await checkOf(pull)).output.title, 'Reviews are paused')

    pull.comment('octo', '@kody resume')
    await stack.idle()
    assert.deepEqual(reviewedCommits(pull), [first, pull.head()])
    assert.match((await checkOf(pull)).output.title, /^3 findings open/)
    assert.deepEqual(saidIn(pull).answers, [
      'Paused: I review this pull request only when asked by `@kody review`',
      'Automatic reviews are on again. The newest commit is being reviewed.',
    ])
  })

  await t.test('a finding that is ignored in its thread is open no more, and not said again', async () => {
    const { pull } = await openReviewed(stack, 'octo/dismissed')
    const [thread] = pull.threads()
    pull.reply('octo', thread?.comments[0].id, '@kody ignore')
    await stack.idle()
    assert.match(pull.threads()[0]?.comments.at(-1).body, /\nDismissed: I will not raise this finding again/)
    pull.push(append(ORDERS.twoMistakes, '\n\nDEBUG = False\n'))
    await stack.idle()
    assert.match(summaryOf(pull).body, /\*\*1 finding open \(1 high\)\.\*\*/)
    assert.doesNotMatch(summaryOf(pull).body, /orders\.py:6/)
    // Its line is edited, and is as wrong as before.
    const edited = String(ORDERS.twoMistakes['orders.py']).replace('"paid":', '"paid" :')
    pull.push({ 'orders.py': edited })
    await stack.idle()
    assert.match(summaryOf(pull).body, /\*\*1 finding open \(1 high\)\.\*\*/)
    assert.deepEqual(
      pull.threads().map(({ comments }) => comments.length),
      [3, 1],
    )
  })

  await t.test(
    'ignored in the conversation, a pull request is left alone until somebody resumes',
    async () => {
      const { pull, first } = await openReviewed(stack, 'octo/ignored')
      pull.comment('octo', '@kody ignore')
      await stack.idle()
      const prompts = await promptsOf(stack, () => pull.push(append(ORDERS.twoMistakes, ONE_MORE_MISTAKE)))
      assert.deepEqual([prompts, reviewedCommits(pull)], [[], [first]])
      assert.deepEqual(pull.repository.checkRuns(pull.head()), [])
      pull.comment('octo', '@kody resume')
      await stack.idle()
      assert.deepEqual(reviewedCommits(pull), [first, pull.head()])
    },
  )

  await t.test('help is answered, what is not understood too, and a word in passing is not', async () => {
    const { pull } = await openReviewed(stack, 'octo/asked')
    pull.comment('octo', '@kody help')
    pull.comment('octo', '@kody make it nice')
    pull.comment('octo', 'What does @kody review do?\n\n> @kody review --force\n')
    await stack.idle()
    const { reviews, answers } = saidIn(pull)
    assert.equal(reviews, 1)
    // Two jobs at once.
    assert.deepEqual(answers.sort(), ['I did not understand that', 'What you can tell me here:'])
  })

  await t.test(
    'a reviewed commit is reviewed again by `review --force` alone, and nothing is said twice',
    async () => {
      const { pull } = await openReviewed(stack, 'octo/forced')
      const threads = threadsOf(pull)
      const unforced = await promptsOf(stack, () => pull.comment('octo', '@kody review'))
      assert.deepEqual([unforced, saidIn(pull).answers.length], [[], 1])
      const forced = await promptsOf(stack, () => pull.comment('octo', '@kody review --force'))
      assert.equal(forced.length, 1)
      assert.deepEqual(threadsOf(pull), threads)
      assert.match(summaryOf(pull).body, /\*\*2 findings open.*\*\* 0 new, 2 from before\./)
    },
  )

  await t.test('kodus-config.yml counts as it stands on the base, and its mistakes are told', async () => {
    const config = 'ignorePath: [generated/**]\nsuggestionControl:\n  severityLevelFilter: high\n'
    const files = { ...ORDERS.base, 'kodus-config.yml': config }
    const repository = github.createRepository('octo/configured', { files })
    repository.commit('feature', { ...ORDERS.twoMistakes, 'kodus-config.yml': 'ignorePaths: ["**"]\n' })
    const pull = repository.openPullRequest({ head: 'feature' })
    await stack.idle()
    assert.deepEqual(
      threadsOf(pull).map(({ at }) => at),
      ['orders.py:6', 'orders.py:14'],
    )
    assert.match(
      summaryOf(pull).body,
      /\*\*Problems in kodus-config\.yml\*\*\n\n- unknown key .*ignorePath.* did you mean .*ignorePaths/,
    )
  })
})

function reviewedCommits(pull: PullRequest): string[] {
  return pull
    .reviews()
    .flatMap(({ commit_id, body }) => (body.startsWith('<!-- kodus:review:') ? [commit_id] : []))
}

/** How many reviews there are, and how each answer in the conversation begins. */
function saidIn(pull: PullRequest): { reviews: number; answers: string[] } {
  const answers = pull
    .comments()
    .filter(({ body }) => body.startsWith('<!-- kodus:answer:'))
    .map(({ body }) => body.split('\n')[1].split(/, (?:until|so|and)/)[0])
  return { reviews: reviewedCommits(pull).length, answers }
}
