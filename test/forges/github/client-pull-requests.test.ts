import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPullRequests } from '../../../src/forges/github/pull-requests.ts'
import type { KodusError } from '../../../src/lib/errors.ts'
import { tokenClient } from './client-options.ts'
import { json, type RawApi, startRawApi } from './raw-api.ts'

const signal = AbortSignal.timeout(60_000)
const ROUTE = 'GET /repos/acme/app/pulls/7'

function pullRequests(api: RawApi, repositories: string[] = []) {
  return createPullRequests({
    client: tokenClient(api.url),
    config: { repositories, outsideChanges: 'wait' },
  })
}

const PULL = {
  number: 7,
  state: 'open',
  merged: false,
  draft: false,
  title: 'Add a\0 thing',
  body: null,
  user: { login: 'mona' },
  updated_at: '2024-05-01T10:00:00Z',
  base: { sha: 'b'.repeat(40), ref: 'main', repo: { id: 1 } },
  head: { sha: 'a'.repeat(40), ref: 'feature', repo: { id: 1, owner: { login: 'acme' } } },
}

test('a pull request is told as it is now', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, json(200, PULL))
  assert.deepEqual(await pullRequests(api).get('acme/app', '7', signal), {
    repository: 'acme/app',
    pullRequest: '7',
    state: 'open',
    draft: false,
    head: 'a'.repeat(40),
    base: 'b'.repeat(40),
    baseBranch: 'main',
    headBranch: 'feature',
    title: 'Add a thing',
    description: '',
    author: 'mona',
    byApp: false,
    fromFork: false,
    headOwner: 'acme',
    updatedAt: '2024-05-01T10:00:00Z',
  })
})

test('merged, closed, draft, forked, with a deleted fork or a deleted author: each is told', async (t) => {
  const api = await startRawApi(t)
  const get = async (changed: object) => {
    api.on(ROUTE, json(200, { ...PULL, ...changed }))
    return await pullRequests(api).get('acme/app', '7', signal)
  }
  assert.equal((await get({ state: 'closed', merged: true })).state, 'merged')
  assert.equal((await get({ state: 'closed' })).state, 'closed')
  assert.equal((await get({ draft: true })).draft, true)
  const fork = await get({ head: { ...PULL.head, repo: { id: 2, owner: { login: 'eve' } } } })
  assert.deepEqual([fork.fromFork, fork.headOwner], [true, 'eve'])
  const deleted = await get({ head: { ...PULL.head, repo: null } })
  assert.deepEqual([deleted.fromFork, deleted.headOwner], [true, null])
  assert.equal((await get({ user: null })).author, 'ghost')
  assert.equal((await get({ body: 'x'.repeat(20_000) })).description.length, 10_000)
})

test('a pull request that is not there is not asked for again by itself', async (t) => {
  const api = await startRawApi(t)
  const missing = (error: KodusError) => {
    assert.equal(error.code, 'PULL_REQUEST_NOT_FOUND')
    assert.equal(error.retryability, 'permanent')
    return true
  }
  await assert.rejects(pullRequests(api).get('acme/app', '7', signal), missing)
  assert.equal(api.requests.length, 1)
  for (const number of ['0', '-1', '7/files', '', 'main']) {
    await assert.rejects(pullRequests(api).get('acme/app', number, signal), missing)
  }
  assert.equal(api.requests.length, 1)
})

test('a description that GitHub would not give is named by its field', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, json(200, { ...PULL, head: { ...PULL.head, sha: 'main' } }))
  await assert.rejects(pullRequests(api).get('acme/app', '7', signal), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_UNREACHABLE')
    assert.match(error.message, /head\.sha/)
    return true
  })
})

test('who may write is what GitHub calculates, whatever role it calls it by', async (t) => {
  const api = await startRawApi(t)
  const canWrite = async (account: string) => await pullRequests(api).canWrite('acme/app', account, signal)
  const has = (account: string, permission: string, role: string) =>
    api.on(
      `GET /repos/acme/app/collaborators/${encodeURIComponent(account)}/permission`,
      json(200, { permission, role_name: role, user: { login: account } }),
    )
  has('owner', 'admin', 'admin')
  has('maintainer', 'write', 'maintain')
  has('writer', 'write', 'write')
  has('special', 'write', 'release-manager')
  has('triager', 'read', 'triage')
  has('passer-by', 'read', 'read')
  has('stranger', 'none', 'none')
  // A role may be called anything.
  has('liar', 'read', 'write')
  for (const account of ['owner', 'maintainer', 'writer', 'special'])
    assert.ok(await canWrite(account), account)
  for (const account of ['triager', 'passer-by', 'stranger', 'liar', 'nobody', 'renovate[bot]']) {
    assert.equal(await canWrite(account), false, account)
  }
})

test('an answer that did not come is not taken for a no', async (t) => {
  const api = await startRawApi(t)
  const route = 'GET /repos/acme/app/collaborators/mona/permission'
  api.on(route, json(403, { message: 'Must have push access to view collaborator permission.' }))
  await assert.rejects(pullRequests(api).canWrite('acme/app', 'mona', signal), { code: 'GITHUB_FORBIDDEN' })
  api.on(route, json(500, {}))
  await assert.rejects(pullRequests(api).canWrite('acme/app', 'mona', signal), { code: 'GITHUB_UNAVAILABLE' })
})

test('the allowlist names owners and repositories, in any case, and nothing that only begins like them', async (t) => {
  const api = await startRawApi(t)
  const { isAllowed } = pullRequests(api, ['acme', 'umbrella/app'])
  for (const repository of ['acme/app', 'ACME/other', 'Umbrella/App'])
    assert.ok(isAllowed(repository), repository)
  for (const repository of ['acmeister/app', 'umbrella/app2', 'umbrella/other', 'umbrella', 'x/acme']) {
    assert.equal(isAllowed(repository), false, repository)
  }
  assert.ok(pullRequests(api).isAllowed('anybody/anything'))
})
