import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createPullRequests } from '../../../src/forges/github/pull-requests.ts'
import type { KodusError } from '../../../src/lib/errors.ts'
import { githubDescription } from '../../github/description.ts'
import { startGitHub } from '../../github/server.ts'
import { createClient } from './posting.ts'

const skip = await githubDescription()
const signal = AbortSignal.timeout(60_000)

test('as an App, from its key to a pull request, in the words of GitHub’s own description', {
  skip,
}, async (t) => {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona', title: 'Two', draft: true })
  const client = createClient(github)
  const pullRequests = createPullRequests({ client, config: { repositories: [], outsideChanges: 'wait' } })
  const { updatedAt, ...told } = await pullRequests.get('octo/shop', String(pull.number), signal)
  assert.ok(Date.parse(updatedAt) > 0)
  assert.deepEqual(told, {
    repository: 'octo/shop',
    pullRequest: String(pull.number),
    state: 'open',
    draft: true,
    head: shop.head('feature'),
    base: shop.head('main'),
    baseBranch: 'main',
    headBranch: 'feature',
    title: 'Two',
    description: '',
    author: 'mona',
    byApp: false,
    fromFork: false,
    headOwner: 'octo',
  })
  pull.markReady()
  pull.merge()
  assert.equal((await pullRequests.get('octo/shop', String(pull.number), signal)).state, 'merged')
  await assert.rejects(pullRequests.get('octo/shop', '99', signal), { code: 'PULL_REQUEST_NOT_FOUND' })

  const { login, appId } = await client.identity('octo/shop')
  assert.deepEqual({ login, appId }, { login: `${github.app.slug}[bot]`, appId: github.app.id })
})

for (const token of [undefined, 'reviewer']) {
  test(`who may write, as ${token ?? 'an App'}`, { skip }, async (t) => {
    const github = await startGitHub(t)
    const shop = github.createRepository('octo/shop')
    const levels = { ann: 'admin', will: 'write', matt: 'maintain', tia: 'triage', rea: 'read' } as const
    for (const [login, level] of Object.entries(levels)) shop.setPermission(login, level)
    if (token) shop.setPermission(token, 'write')
    const client = createClient(github, token)
    const pullRequests = createPullRequests({ client, config: { repositories: [], outsideChanges: 'wait' } })
    const able: string[] = []
    for (const login of ['octo', ...Object.keys(levels), 'nobody', 'renovate[bot]']) {
      if (await pullRequests.canWrite('octo/shop', login, signal)) able.push(login)
    }
    assert.deepEqual(able, ['octo', 'ann', 'will', 'matt'])
  })
}

test('asking again for what did not change costs nothing of the rate limit', { skip }, async (t) => {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature' })
  const client = createClient(github)
  const pullRequests = createPullRequests({ client, config: { repositories: [], outsideChanges: 'wait' } })
  const get = async () => await pullRequests.get('octo/shop', String(pull.number), signal)
  await get()
  const counted = github.limits.counted()
  const before = await get()
  assert.equal(github.limits.counted(), counted)
  assert.equal(github.requests.at(-1)?.status, 304)
  pull.push({ 'a.ts': 'let a = 3\n' })
  assert.notEqual((await get()).head, before.head)
})

test('git reads the repository with the token it is given, and nothing is written with it', {
  skip,
}, async (t) => {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  github.createRepository('octo/other')
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature' })
  const token = await createClient(github).gitToken('octo/shop')
  const asked = await listRemote(shop.url, token)
  assert.match(asked, new RegExp(`${shop.head('feature')}\trefs/pull/${pull.number}/head`))
  const authorization = `token ${token}`
  const write = await fetch(`${github.apiUrl}/repos/octo/shop/issues/${pull.number}/comments`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', 'user-agent': 'test' },
    body: '{"body":"hello"}',
  })
  assert.equal(write.status, 403)
  const other = await fetch(`${github.apiUrl}/repos/octo/other`, {
    headers: { authorization, 'user-agent': 'test' },
  })
  assert.ok(other.status === 404 || other.status === 403, String(other.status))
})

async function listRemote(url: string, token: string): Promise<string> {
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64')
  const header = `http.extraHeader=authorization: Basic ${basic}`
  return (await promisify(execFile)('git', ['-c', header, 'ls-remote', url])).stdout
}

test('an App that was taken away says so, and where it never was', { skip }, async (t) => {
  const github = await startGitHub(t)
  github.createRepository('octo/shop')
  github.createRepository('octo/hidden', { installed: false })
  const client = createClient(github)
  await client.forRepository('octo/shop')
  await assert.rejects(client.forRepository('octo/hidden'), { code: 'GITHUB_NOT_INSTALLED' })
  await assert.rejects(client.forRepository('octo/nowhere'), { code: 'GITHUB_NOT_INSTALLED' })
  github.uninstallApp('octo')
  const octokit = await client.forRepository('octo/shop')
  await assert.rejects(
    octokit.request('GET /repos/{owner}/{repo}', { owner: 'octo', repo: 'shop' }),
    (error: KodusError) => /^GITHUB_NOT_(INSTALLED|FOUND)$/.test(error.code),
  )
})

test('a permission that the App lacks is named', { skip }, async (t) => {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature' })
  const client = createClient(github)
  delete github.app.permissions.pull_requests
  delete github.app.permissions.issues
  const octokit = await client.forRepository('octo/shop')
  await assert.rejects(
    octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
      owner: 'octo',
      repo: 'shop',
      issue_number: pull.number,
      body: 'hello',
    }),
    (error: KodusError) => {
      assert.equal(error.code, 'GITHUB_FORBIDDEN')
      assert.match(error.help, /issues: write/)
      return true
    },
  )
})
