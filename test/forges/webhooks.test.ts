import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { WEBHOOK_SOURCES } from '../../src/forges/webhooks.ts'
import { pullRequestEvent } from '../webhook-handler/pull-request-event.ts'

// biome-ignore lint/suspicious/noExplicitAny: GitHub's own payloads, of which the tests change parts.
const EXAMPLES: { name: string; examples: any[] }[] = createRequire(import.meta.url)(
  '@octokit/webhooks-examples',
)

function github(event: Parameters<typeof pullRequestEvent>[0]) {
  return WEBHOOK_SOURCES.github.narrow(
    { 'x-github-event': 'pull_request', 'content-type': 'application/json' },
    Buffer.from(pullRequestEvent(event)),
  )
}

function git(fields: Record<string, unknown>) {
  const body = { repository: 'https://git.example/team/shop.git', base: 'main', head: 'topic', ...fields }
  return WEBHOOK_SOURCES.git.narrow({}, Buffer.from(JSON.stringify(body)))
}

/** What GitHub's actions mean: a review (R), a change of the pull request's state (S), or nothing. */
const ACTIONS: [action: string, ready: string, draft: string][] = [
  ['opened', 'R+S', 'R+S'],
  ['reopened', 'R+S', 'R+S'],
  ['synchronize', 'R+S', 'R+S'],
  ['ready_for_review', 'R+S', 'R+S'],
  ['closed', 'S', 'S'],
  ['edited', 'S', 'S'],
  ['converted_to_draft', 'S', 'S'],
  ['labeled', '-', '-'],
  ['assigned', '-', '-'],
  ['review_requested', '-', '-'],
  ['an_action_of_next_year', '-', '-'],
]

for (const [action, ready, draft] of ACTIONS) {
  test(`pull_request.${action} asks for ${ready} on a ready pull request, for ${draft} on a draft`, () => {
    const meaning = (draft: boolean) => {
      const narrowed = github({ action, draft })
      if ('ignored' in narrowed) return '-'
      return [...('request' in narrowed ? ['R'] : []), ...('pullRequest' in narrowed ? ['S'] : [])].join('+')
    }
    assert.deepEqual([meaning(false), meaning(true)], [ready, draft])
  })
}

test('a review request holds what GitHub told, and nothing else', () => {
  assert.deepEqual(github({ action: 'synchronize', head: 'b' }), {
    request: {
      repository: 'octo/shop',
      organisation: 'octo',
      pullRequest: '7',
      base: 'f'.repeat(40),
      head: 'b'.repeat(40),
      title: 'Sell more',
      description: '',
      branch: 'feature/sell',
      sender: 'mona',
      action: 'synchronize',
      baseBranch: 'main',
      draft: false,
    },
    pullRequest: {
      repository: 'octo/shop',
      pullRequest: '7',
      head: 'b'.repeat(40),
      state: 'open',
      draft: false,
      updatedAt: '2026-01-01T00:00:00Z',
    },
  })
})

test('a git webhook asks for a second review of a commit by `force`, and for nothing by its absence', () => {
  const forced = (fields: Record<string, unknown>) => {
    const narrowed = git(fields)
    return 'request' in narrowed && narrowed.request.force
  }
  assert.deepEqual(
    [forced({ force: true }), forced({ force: false }), forced({})],
    [true, undefined, undefined],
  )
  assert.throws(() => git({ force: 'yes' }), { code: 'WEBHOOK_MALFORMED' })
})

test('a closed pull request is merged when GitHub says so', () => {
  const stateOf = (merged: boolean) => {
    const narrowed = github({ action: 'closed', merged })
    return 'pullRequest' in narrowed && narrowed.pullRequest?.state
  }
  assert.deepEqual([stateOf(false), stateOf(true)], ['closed', 'merged'])
})

test('a draft asks for a review that says so: whether drafts are reviewed is for the repository to say', () => {
  const narrowed = github({ action: 'opened', draft: true })
  assert.equal('request' in narrowed && narrowed.request.draft, true)
})

test('a pull request that goes to another branch now is to be reviewed; one with another title is not', () => {
  const asks = (changes: object) => 'request' in github({ action: 'edited', changes })
  assert.equal(asks({ base: { ref: { from: 'main' }, sha: { from: 'a'.repeat(40) } } }), true)
  assert.equal(asks({ title: { from: 'Sell less' } }), false)
})

test('a closed pull request asks for no review, whatever was done to it', () => {
  const narrowed = github({ action: 'edited', changes: { base: { ref: { from: 'main' } } }, state: 'closed' })
  assert.deepEqual(Object.keys(narrowed), ['pullRequest'])
})

/** One of GitHub's own examples of a new comment, with another text, and whatever else `over` says. */
function comment(event: 'issue_comment' | 'pull_request_review_comment', body: string, over: object = {}) {
  const example = EXAMPLES.find(({ name }) => name === event)?.examples.find(
    ({ action }) => action === 'created',
  )
  assert.ok(example)
  const { issue, comment, sender } = example
  const payload = {
    ...example,
    // GitHub's examples have comments on issues only: this key is what tells a pull request.
    ...(issue ? { issue: { ...issue, pull_request: { url: 'https://api.github.com/…' } } } : {}),
    comment: { ...comment, body },
    sender,
    ...over,
  }
  return WEBHOOK_SOURCES.github.narrow(
    { 'x-github-event': event, 'content-type': 'application/json' },
    Buffer.from(JSON.stringify(payload)),
  )
}

test('a comment in the conversation of a pull request is a command', () => {
  assert.deepEqual(comment('issue_comment', 'Thanks!\n\n@kody review --force'), {
    command: {
      repository: 'Codertocat/Hello-World',
      organisation: 'Codertocat',
      pullRequest: '1',
      command: 'review',
      force: true,
      sender: 'Codertocat',
      comment: { id: '492700400', place: 'conversation', threadId: null },
    },
  })
})

test('a comment at a line is a command in the thread that another one, or it itself, began', () => {
  const narrowed = comment('pull_request_review_comment', '@kody ignore')
  assert.ok('command' in narrowed)
  const { id } = narrowed.command.comment
  assert.deepEqual(narrowed.command.comment, { id, place: 'thread', threadId: id })
  assert.equal(narrowed.command.pullRequest, '2')

  const reply = comment('pull_request_review_comment', '@kody ignore', {
    comment: { id: 12, in_reply_to_id: 7, body: '@kody ignore' },
  })
  assert.ok('command' in reply)
  assert.deepEqual(reply.command.comment, { id: '12', place: 'thread', threadId: '7' })
})

test('what commands nothing says why', () => {
  const reason = (...args: Parameters<typeof comment>) => {
    const narrowed = comment(...args)
    return 'ignored' in narrowed ? narrowed.ignored : narrowed
  }
  const bot = { login: 'kodus[bot]', type: 'Bot' }
  const ours = '<!-- kodus:finding:a1b2:AAAAAAAAAAAAAAAAAAAAAA -->\n**Wrong**\n\n@kody review --force'
  assert.equal(reason('pull_request_review_comment', ours), 'the reviewer itself wrote the comment')
  assert.equal(reason('issue_comment', 'Good.'), 'the comment does not address the reviewer')
  assert.equal(
    reason('issue_comment', '@kody help', { sender: bot }),
    'kodus[bot] is a bot: bots command nothing',
  )
  assert.equal(
    reason('issue_comment', '@kody help', { action: 'edited' }),
    'issue_comment.edited commands nothing',
  )
  assert.equal(
    reason('pull_request_review_comment', '@kody help', { action: 'deleted' }),
    'pull_request_review_comment.deleted commands nothing',
  )
  assert.equal(
    reason('issue_comment', '@kody help', { issue: { number: 3 } }),
    'the comment is on no pull request',
  )
})

const OWNERS = {
  'https://git.example/team/shop.git': 'git.example',
  'https://GIT.example:8443/shop': 'git.example',
  'ssh://git@git.example:22/shop.git': 'git.example',
  'git@git.example:team/shop.git': 'git.example',
  'http://[::1]:8080/shop': '[::1]',
  '/srv/git/shop.git': 'local',
  'file:///srv/git/shop.git': 'local',
}

for (const [repository, organisation] of Object.entries(OWNERS)) {
  test(`${repository} belongs to ${organisation}`, () => {
    const narrowed = git({ repository })
    assert.equal('request' in narrowed && narrowed.request.organisation, organisation)
  })
}

test('without a branch, a git webhook tells of no pull request', () => {
  const narrowed = git({ title: null, description: null, branch: null })
  assert.ok('request' in narrowed && !narrowed.pullRequest)
  assert.deepEqual([narrowed.request.pullRequest, narrowed.request.title], [null, ''])
})
