import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createGitHubEventSource } from '../../../src/forges/github/events.ts'
import type { Delivery } from '../../../src/jobs/review-request.ts'
import { githubDescription } from '../../github/description.ts'
import { startGitHub } from '../../github/server.ts'
import { tokenClient } from './client-options.ts'
import { createClient } from './posting.ts'
import { json, startRawApi } from './raw-api.ts'

const skip = await githubDescription()
const signal = AbortSignal.timeout(60_000)

/** A repository with a pull request from before the first look. Each look begins where the last one ended. */
async function startPolling(
  t: TestContext,
  { token, hoursBehind = 0 }: { token?: string; hoursBehind?: number } = {},
) {
  const github = await startGitHub(t)
  github.clock.advance(-hoursBehind * 3600_000)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  if (token) shop.setPermission(token, 'write')
  shop.commit('old', { 'a.ts': 'let a = 0\n' })
  const old = shop.openPullRequest({ head: 'old', author: 'mona' })
  old.comment('mona', '@kody review')
  const events = createGitHubEventSource({
    client: createClient(github, token),
    config: { repositories: ['octo/shop'] },
  })
  let cursor: string | null = null
  const look = async () => {
    const told = await events.happenedSince('octo/shop', cursor, signal)
    assert.deepEqual(told.unread, [])
    cursor = told.cursor
    return told.deliveries
  }
  /** Nothing that is there now is within the next look. */
  const pass = () => github.clock.advance(10 * 60_000)
  const open = (branch: string, content: string) => {
    shop.commit(branch, { 'a.ts': content })
    return shop.openPullRequest({ head: branch, author: 'mona', title: branch })
  }
  pass()
  return { github, shop, look, pass, open, old }
}

const requests = (deliveries: Delivery[]) => deliveries.flatMap(({ request }) => request ?? [])
const commands = (deliveries: Delivery[]) => deliveries.flatMap(({ command }) => command ?? [])
const states = (deliveries: Delivery[]) =>
  deliveries.flatMap(({ request, pullRequest }) => (request || !pullRequest ? [] : pullRequest))

for (const token of [undefined, 'reviewer']) {
  test(`what happens after the first look is told as its webhook would have, as ${token ?? 'an App'}`, {
    skip,
  }, async (t) => {
    const { github, shop, look, pass, open } = await startPolling(t, token ? { token } : {})
    assert.deepEqual(await look(), [], 'what was there before is left alone')
    pass()
    const pull = open('feature', 'let a = 2\n')
    const comment = pull.comment('mona', '@kody pause')
    pull.comment('mona', 'hello')
    const line = pull.commentOn('mona', { path: 'a.ts', line: 1 }, '@kody ignore')
    const told = await look()
    assert.deepEqual(requests(told), [
      {
        repository: 'octo/shop',
        organisation: 'octo',
        pullRequest: String(pull.number),
        base: shop.head('main'),
        head: pull.head(),
        title: 'feature',
        description: '',
        branch: 'feature',
        sender: 'mona',
        action: 'synchronize',
        baseBranch: 'main',
        draft: false,
      },
    ])
    assert.deepEqual(
      commands(told).map(({ command, sender, pullRequest, comment }) => [
        command,
        sender,
        pullRequest,
        comment,
      ]),
      [
        [
          'pause',
          'mona',
          String(pull.number),
          { id: String(comment.id), place: 'conversation', threadId: null },
        ],
        [
          'ignore',
          'mona',
          String(pull.number),
          { id: String(line.id), place: 'thread', threadId: String(line.id) },
        ],
      ],
    )
    assert.equal(
      github.requests.every(({ method }) => method === 'GET' || method === 'POST'),
      true,
    )

    const again = await look()
    const ids = (deliveries: Delivery[]) => deliveries.map(({ deliveryId }) => deliveryId)
    assert.deepEqual(ids(again), ids(told), 'looks overlap, and tell the same things under the same ids')
    pass()
    await look()
    pass()
    assert.deepEqual(await look(), [])
  })
}

test('a push, a ready draft and another base are new things to review; a closed one is a state', {
  skip,
}, async (t) => {
  const { shop, old, look, pass } = await startPolling(t)
  await look()
  const seen = new Set<string>()
  const fresh = async () => {
    pass()
    const told = (await look()).filter(({ deliveryId }) => !seen.has(deliveryId))
    for (const { deliveryId } of told) seen.add(deliveryId)
    return told
  }
  pass()
  old.comment('mona', 'touched')
  assert.equal(requests(await fresh()).length, 1, 'an old one that changes is reviewed')
  for (const change of [
    () => old.push({ 'a.ts': 'let a = 3\n' }),
    () => old.convertToDraft(),
    () => old.edit({ base: 'release' }),
  ]) {
    shop.git('update-ref', 'refs/heads/release', shop.head('main'))
    change()
    assert.equal(requests(await fresh()).length, 1)
  }
  old.edit({ title: 'Another' })
  assert.deepEqual(requests(await fresh()), [], 'a title is nothing to review')
  old.close()
  assert.deepEqual(requests(await fresh()), [])
})

test('a closed pull request is told as such', { skip }, async (t) => {
  const { old, look, pass } = await startPolling(t)
  await look()
  pass()
  old.merge()
  const [state] = states(await look())
  assert.deepEqual([state?.state, state?.pullRequest], ['merged', String(old.number)])
})

test('more than a page of it is told whole', { skip }, async (t) => {
  const { old, look, pass } = await startPolling(t)
  await look()
  pass()
  for (let count = 1; count <= 65; count++) old.comment('mona', `@kody help ${count}`)
  assert.equal(commands(await look()).length, 65)
})

test('looking again when nothing happened costs nothing of the rate limit', { skip }, async (t) => {
  const { github, look, pass, open } = await startPolling(t)
  await look()
  pass()
  open('feature', 'let a = 2\n').comment('mona', '@kody review')
  await look()
  const counted = github.limits.counted()
  await look()
  await look()
  assert.equal(github.limits.counted(), counted)
  assert.equal(github.requests.at(-1)?.status, 304)
})

test('it goes by the clock of GitHub, not by ours', { skip }, async (t) => {
  const { look, pass, open } = await startPolling(t, { hoursBehind: 2 })
  await look()
  pass()
  open('feature', 'let a = 2\n')
  assert.equal(requests(await look()).length, 1)
})

test('after a long absence it goes back three days, as webhooks would', { skip }, async (t) => {
  const { github, look, open } = await startPolling(t)
  await look()
  open('lost', 'let a = 2\n')
  github.clock.advance(48 * 3600_000)
  const kept = open('kept', 'let a = 3\n')
  github.clock.advance(48 * 3600_000)
  assert.deepEqual(
    requests(await look()).map(({ pullRequest }) => pullRequest),
    [String(kept.number)],
  )
})

test('one that is not as GitHub describes it is named, and the others are told', async (t) => {
  const api = await startRawApi(t)
  const now = new Date().toISOString()
  const repository = { full_name: 'octo/shop', owner: { login: 'octo' } }
  const side = { sha: 'a'.repeat(40), ref: 'main' }
  const good = {
    number: 2,
    title: 'Two',
    body: null,
    state: 'open',
    draft: false,
    merged_at: null,
    updated_at: now,
  }
  const list = '?sort=created&direction=desc&per_page=30&page=1'
  api.on('GET /repos/octo/shop', json(200, repository))
  api.on(
    'GET /repos/octo/shop/pulls?state=all&sort=updated&direction=desc&per_page=30&page=1',
    json(200, [
      { ...good, user: null, base: side, head: side },
      { ...good, number: 3, user: null, base: side, head: { sha: 'no commit', ref: 'x' } },
    ]),
  )
  api.on(`GET /repos/octo/shop/issues/comments${list}`, json(200, []))
  api.on(`GET /repos/octo/shop/pulls/comments${list}`, json(200, []))
  const events = createGitHubEventSource({ client: tokenClient(api.url), config: { repositories: [] } })
  const before = new Date(Date.now() - 60_000).toISOString()
  const { deliveries, unread } = await events.happenedSince('octo/shop', before, signal)
  assert.deepEqual(
    requests(deliveries).map(({ pullRequest }) => pullRequest),
    ['2'],
  )
  assert.equal(unread.length, 1)
  assert.match(unread[0] ?? '', /octo\/shop#3.*full commit id/)
})
