import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WEBHOOK_SOURCES } from '../../src/forges/webhooks.ts'
import { pullRequestEvent } from '../webhook-handler/pull-request-event.ts'

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
  ['opened', 'R+S', 'S'],
  ['reopened', 'R+S', 'S'],
  ['synchronize', 'R+S', 'S'],
  ['ready_for_review', 'R+S', 'S'],
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
      return [...('request' in narrowed ? ['R'] : []), ...(narrowed.pullRequest ? ['S'] : [])].join('+')
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

test('a closed pull request is merged when GitHub says so', () => {
  const stateOf = (merged: boolean) => {
    const narrowed = github({ action: 'closed', merged })
    return 'pullRequest' in narrowed && narrowed.pullRequest?.state
  }
  assert.deepEqual([stateOf(false), stateOf(true)], ['closed', 'merged'])
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
