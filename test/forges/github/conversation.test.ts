import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGitHubConversation } from '../../../src/forges/github/conversation.ts'
import { githubDescription } from '../../github/description.ts'
import { MARKER_KEY, reviewOf, startPosting } from './posting.ts'

const skip = await githubDescription()
const signal = AbortSignal.timeout(60_000)

async function startConversation(t: Parameters<typeof startPosting>[0]) {
  const posting = await startPosting(t)
  posting.github.app.permissions.contents = 'write'
  const { client, pull } = posting
  const conversation = createGitHubConversation({ client, markerKey: MARKER_KEY })
  const where = { repository: 'octo/shop', pullRequest: String(pull.number) }
  return { ...posting, conversation, where }
}

describe('a command', { skip }, () => {
  test('in the conversation is answered there, once for each key', async (t) => {
    const { github, conversation, pull, where } = await startConversation(t)
    const { id } = pull.comment('mona', '@kody help')
    const to = { ...where, comment: { id: String(id), place: 'conversation' as const, threadId: null } }
    github.fail({ method: 'POST', path: /\/comments$/, with: { statusAfter: 502 } })
    await assert.rejects(conversation.answer(to, 'job-1', 'Help.', signal), { code: 'GITHUB_UNAVAILABLE' })
    await conversation.answer(to, 'job-1', 'Help.', signal)
    await conversation.answer(to, 'job-2', 'More help.', signal)
    assert.deepEqual(
      pull.comments().map(({ body }) => body.split('\n').at(-1)),
      ['@kody help', 'Help.', 'More help.'],
    )
  })

  test('in a thread is answered in that thread, once', async (t) => {
    const { conversation, pull, where } = await startConversation(t)
    const root = pull.commentOn('mona', { path: 'cart.ts', line: 3 }, 'What is this?')
    const { id } = pull.reply('mona', root.id, '@kody ignore')
    const comment = { id: String(id), place: 'thread' as const, threadId: String(root.id) }
    await conversation.answer({ ...where, comment }, 'job-1', 'Done.', signal)
    await conversation.answer({ ...where, comment }, 'job-1', 'Done.', signal)
    const [thread] = pull.threads()
    assert.deepEqual(
      thread?.comments.map(({ body }) => body.split('\n').at(-1)),
      ['What is this?', '@kody ignore', 'Done.'],
    )
  })

  test('is answered although a stranger pasted the answer’s marker', async (t) => {
    const { conversation, markers, pull, where } = await startConversation(t)
    const { id } = pull.comment('mona', `${markers.write('answer', 'job-1')}\nI was faster.`)
    const comment = { id: String(id), place: 'conversation' as const, threadId: null }
    await conversation.answer({ ...where, comment }, 'job-1', 'Help.', signal)
    assert.equal(pull.comments().length, 2)
  })
})

describe('dismissing a thread', { skip }, () => {
  test('of a finding of ours resolves it and tells which it was', async (t) => {
    const { conversation, post, pull, where } = await startConversation(t)
    await post(reviewOf(pull))
    const [, second] = pull.threads()
    const threadId = String(second?.comments[0].id)
    assert.equal(await conversation.dismissThread({ ...where, threadId }, signal), 'f2')
    assert.deepEqual(
      pull.threads().map(({ isResolved }) => isResolved),
      [false, true],
    )
    assert.equal(await conversation.dismissThread({ ...where, threadId }, signal), 'f2', 'again')
  })

  test('counts where GitHub does not let us resolve it', async (t) => {
    const { conversation, github, post, pull, where } = await startConversation(t)
    await post(reviewOf(pull))
    github.app.permissions.contents = 'read'
    const threadId = String(pull.threads()[0]?.comments[0].id)
    assert.equal(await conversation.dismissThread({ ...where, threadId }, signal), 'f1')
  })

  test('of somebody else does nothing, whatever marker it has', async (t) => {
    const { conversation, markers, pull, where } = await startConversation(t)
    const body = `${markers.write('finding', 'f1')}\nMine.`
    const { id } = pull.commentOn('mona', { path: 'cart.ts', line: 3 }, body)
    assert.equal(await conversation.dismissThread({ ...where, threadId: String(id) }, signal), undefined)
    assert.equal(pull.threads()[0]?.isResolved, false)
  })
})
