import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand } from '../../src/forges/command.ts'
import { type Delivery, ownDelivery } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import * as say from '../../src/worker/say-command.ts'
import { tellUntold } from '../../src/worker/tell-late.ts'
import { githubDescription } from '../github/server.ts'
import { aModel, FLAWED, startGitHubWorker } from './github-worker.ts'

const skip = await githubDescription()

async function aPullRequest(t: Parameters<typeof startGitHubWorker>[0], options = {}) {
  const worker = await startGitHubWorker(t, options)
  worker.shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = worker.shop.openPullRequest({ head: 'feature', author: 'mona' })
  /** What commands were answered in the conversation, without the hidden markers. */
  const answers = () =>
    pull.comments().flatMap(({ user, body }): string[] => {
      const answer = /^<!-- kodus:answer:[^\n]*\n([\s\S]*)$/.exec(body)?.[1]
      return user.login.endsWith('[bot]') && answer !== undefined ? [answer] : []
    })
  /** Comments, and has whatever GitHub told of by then done. @returns what the command's job says it did */
  const command = async (by: string, body: string, arrange?: Parameters<typeof worker.receive>[0]) => {
    pull.comment(by, body)
    const received = await worker.receive(arrange)
    await worker.run()
    return worker.lastReason(received.find((delivery) => delivery.command)?.jobId ?? '')
  }
  return { ...worker, pull, answers, command }
}

test('no answer of ours is a command itself', () => {
  const error = { code: 'BROKEN', message: '@kody review', help: '@kody review' }
  const answers = [
    say.sayHelp(),
    say.sayUnknown(),
    say.sayNotAWriter(),
    say.sayNotOpen('closed'),
    say.sayReviewedBefore('a'.repeat(40)),
    say.sayPaused(),
    say.sayIgnored(),
    say.sayResumed(true),
    say.sayResumed(false),
    say.sayDismissed(),
    say.sayNotOurThread(),
    say.sayCommandFailed(error as Parameters<typeof say.sayCommandFailed>[0]),
  ]
  for (const answer of answers) assert.equal(parseCommand(answer), undefined, answer)
})

test('`review` reviews the newest commit, approved by who asked; again, it says that it has', {
  skip,
}, async (t) => {
  const { command, jobs, pull, answers, outcomes } = await aPullRequest(t)
  const did = await command('mona', '@kody review', (all) => all.filter((delivery) => delivery.command))
  assert.equal(did, `asked for a review of ${pull.head()}`)
  const asked = (await jobs()).find(({ deliveryId }) => deliveryId.startsWith('command:conversation:'))
  assert.ok(asked?.type === 'code-review')
  assert.deepEqual(
    [asked.payload.approvedBy, asked.payload.force, asked.payload.action, asked.payload.sender],
    ['mona', false, 'command', 'mona'],
  )
  assert.equal(pull.reviews().length, 1)

  await command('mona', '@kody review')
  assert.equal(pull.reviews().length, 1)
  assert.match(answers().join('\n'), /have reviewed `\w+` already/)
  assert.ok((await outcomes()).every((outcome) => /COMPLETED|SUPERSEDED/.test(outcome)))
})

test('`review --force` reviews again what was reviewed', { skip }, async (t) => {
  const { command, jobs, read } = await aPullRequest(t)
  await command('mona', '@kody review --force')
  await command('mona', '@kody review --force')
  const newest = (await jobs()).at(-1)
  assert.ok(newest?.type === 'code-review' && newest.payload.force)
  assert.ok((await read(newest.id))?.review, 'it has a review of its own')
})

test('strangers are answered once, and nothing is done for them', { skip }, async (t) => {
  const { command, answers, db } = await aPullRequest(t)
  const did = await command('stranger', '@kody ignore')
  assert.equal(did, 'not done: stranger may not write to octo/shop')
  await command('stranger', '@kody help')
  assert.equal(answers().length, 1)
  assert.match(answers()[0] ?? '', /people who may write/)
  const { rows } = await db.query('select hold from pull_requests')
  assert.deepEqual(rows, [{ hold: null }])
})

test('paused, a push is not reviewed; a command is; resumed, the newest commit is', { skip }, async (t) => {
  const { command, pull, receive, run, answers, jobs, lastReason } = await aPullRequest(t)
  await command('mona', '@kody pause')
  assert.match(answers().at(-1) ?? '', /^Paused/)
  const before = pull.reviews().length

  pull.push({ 'refunds.py': 'def refund(items, seen=[]):\n    return seen\n' }, { by: 'mona' })
  await receive()
  await run()
  assert.equal(pull.reviews().length, before)
  assert.match((await lastReason((await jobs()).at(-1)?.id ?? '')) ?? '', /paused/)

  await command('mona', '@kody resume')
  assert.match(answers().at(-1) ?? '', /is being reviewed/)
  assert.equal(pull.reviews().length, before + 1)
})

test('`ignore` cancels what waits, and that is told where it was shown', { skip }, async (t) => {
  const { github, command, pull, shop, receive, run, outcomes, db, runner } = await aPullRequest(t)
  github.fail({ path: /^\/octo\/shop\.git/, times: Number.POSITIVE_INFINITY, with: { status: 502 } })
  await receive()
  await run()
  assert.deepEqual(await outcomes(), ['code-review RETRYING'])
  assert.equal(shop.checkRuns(pull.head())[0]?.status, 'in_progress')

  const did = await command('mona', '@kody ignore')
  assert.equal(did, 'ignored; 1 review cancelled')
  assert.deepEqual(await outcomes(), ['code-review CANCELLED', 'command COMPLETED'])
  await tellUntold({ db, forges: runner.forges, log: silentLog })
  const [check] = shop.checkRuns(pull.head())
  assert.deepEqual(
    [check?.status, check?.conclusion, check?.output.title],
    ['completed', 'neutral', 'Cancelled'],
  )
})

test('`ignore` in a thread of ours dismisses its finding, for good; check and summary follow, and no model is asked', {
  skip,
}, async (t) => {
  let asked = 0
  const model = aModel(async () => {
    asked++
    return { findings: [] }
  })
  const { shop, pull, receive, run, db, jobs, lastReason } = await aPullRequest(t, { model })
  await receive()
  await run()
  const [comment] = pull.reviewComments()
  pull.reply('mona', comment.id, '@kody ignore')
  await receive()
  await run()
  const command = (await jobs()).find(({ type }) => type === 'command')
  assert.match((await lastReason(command?.id ?? '')) ?? '', /^dismissed the finding/)
  assert.equal((await db.query('select from dismissed_findings')).rowCount, 1)
  assert.match(pull.reviewComments().at(-1)?.body ?? '', /Check and summary follow\.$/)
  const check = shop.checkRuns(pull.head()).toSorted((a, b) => b.id - a.id)[0]
  assert.deepEqual([check?.status, check?.conclusion], ['completed', 'success'])
  const summary = pull.comments().find(({ user }) => user.login === 'kodus[bot]')
  assert.match(summary?.body ?? '', /No open findings/)
  assert.deepEqual([asked, pull.reviews().filter(({ body }) => body !== '').length], [1, 1])

  pull.comment('mona', '@kody review --force')
  await receive()
  await run()
  assert.equal(pull.reviewComments().filter(({ in_reply_to_id }) => !in_reply_to_id).length, 1)
})

test('`ignore` in a thread of other people does nothing but say so', { skip }, async (t) => {
  const { pull, receive, run, jobs, lastReason, db } = await aPullRequest(t)
  const comment = pull.commentOn('mona', { path: 'orders.py', line: 1 }, 'Why?')
  pull.reply('mona', comment.id, '@kody ignore')
  const command = (await receive()).find((delivery) => delivery.command)
  await run()
  assert.ok(command)
  assert.equal(await lastReason(command.jobId), 'nothing: the thread is not about a finding')
  assert.ok(await jobs())
  assert.equal((await db.query('select from dismissed_findings')).rowCount, 0)
})

test('help and what is not understood are answered with what can be said', { skip }, async (t) => {
  const { command, answers } = await aPullRequest(t)
  await command('mona', '@kody help')
  await command('mona', '@kody dance')
  assert.deepEqual(
    answers().map((answer) => /^I did not understand[\s\S]*`@kody pause`/.test(answer)),
    [false, true],
  )
})

test('a command that is tried again after a failure is answered once', { skip }, async (t) => {
  const { github, pull, receive, run, makeDue, answers, outcomes } = await aPullRequest(t)
  pull.comment('mona', '@kody help')
  github.fail({ method: 'POST', path: /\/issues\/\d+\/comments/, with: { statusAfter: 502 } })
  await receive((deliveries) => deliveries.filter((delivery) => delivery.command))
  await run()
  assert.deepEqual(await outcomes(), ['command RETRYING'])
  await makeDue()
  await run()
  assert.deepEqual(await outcomes(), ['command COMPLETED'])
  assert.equal(answers().length, 1)
})

/** Each delivery again, as the poll brings what a webhook has brought: under another id. */
const twice = (deliveries: Delivery[]) =>
  deliveries
    .filter((delivery) => delivery.command)
    .flatMap((delivery) => {
      const polled = ownDelivery('github', `polled:${delivery.deliveryId}`)
      return [delivery, { ...delivery, ...polled }]
    })

test('a comment that comes under two delivery ids is answered once', { skip }, async (t) => {
  const { command, answers, outcomes } = await aPullRequest(t)
  await command('mona', '@kody help', twice)
  assert.deepEqual(await outcomes(), ['command COMPLETED', 'command COMPLETED'])
  assert.equal(answers().length, 1)
  await command('mona', '@kody help', twice)
  assert.equal(answers().length, 2, 'another comment has an answer of its own')
})

test('a comment that asks for a review under two delivery ids is not told that it had one', {
  skip,
}, async (t) => {
  const { pull, receive, run, answers, outcomes } = await aPullRequest(t)
  pull.comment('mona', '@kody review')
  let second: Delivery[] = []
  await receive((all) => {
    const [first, ...rest] = twice(all)
    second = rest
    return first ? [first] : []
  })
  await run()
  await receive(() => second)
  await run()
  assert.deepEqual(await outcomes(), ['command COMPLETED', 'code-review COMPLETED', 'command COMPLETED'])
  assert.deepEqual([answers(), pull.reviews().length], [[], 1])
})

test('an old command that comes again does not undo a newer one', { skip }, async (t) => {
  const { db, command, receive, run } = await aPullRequest(t)
  let again: Delivery[] = []
  await command('mona', '@kody pause', (all) => {
    const [first, ...rest] = twice(all)
    again = rest
    return first ? [first] : []
  })
  await command('mona', '@kody resume')
  await receive(() => again)
  await run()
  const { rows } = await db.query('select hold from pull_requests')
  assert.deepEqual(rows, [{ hold: null }])
})

test('nothing is asked or said about a repository that is not on the allowlist', { skip }, async (t) => {
  const { github, command, outcomes } = await aPullRequest(t, { env: { GITHUB_REPOSITORIES: 'acme' } })
  const did = await command('mona', '@kody review')
  assert.equal(did, 'not done: octo/shop is not on the allowlist')
  assert.deepEqual(await outcomes(), ['code-review FAILED', 'command COMPLETED'])
  assert.deepEqual(
    github.requests
      .filter(({ path }) => path.includes('octo'))
      .map(({ method, path }) => `${method} ${path}`),
    [],
  )
})
