import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { parseEnv } from 'node:util'
import { inspectRepository } from '../../src/cli/setup/inspect-repository.ts'
import { tokenClient } from '../forges/github/client-options.ts'
import { json, startRawApi } from '../forges/github/raw-api.ts'
import { githubDescription } from '../github/description.ts'
import { type GitHub, startGitHub } from '../github/server.ts'
import { kodus, type Ran } from '../support/kodus.ts'
import { aDirectory } from './start-setup.ts'

const skip = await githubDescription()
const WEBHOOK = 'http://127.0.0.1:9/webhooks/github'

async function startShops(t: TestContext): Promise<GitHub> {
  const github = await startGitHub(t)
  for (const name of ['octo/shop', 'octo/cart']) github.createRepository(name, { installed: false })
  return github
}

function setUp(github: GitHub, directory: string, args: string[], token: string): Promise<Ran> {
  const env = { KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl, GITHUB_TOKEN: token }
  return kodus(['setup', 'github', '--token', '--allow', 'octo/shop,octo/cart', ...args], env)
}

function settingsIn(directory: string): Record<string, string | undefined> {
  return parseEnv(readFileSync(path.join(directory, 'github.env'), 'utf8'))
}

test('a token is checked in each repository, each gets its webhook, and a second run changes the secret of none', {
  skip,
}, async (t) => {
  const github = await startShops(t)
  const directory = aDirectory(t)
  const token = github.createToken('octo')
  const first = await setUp(github, directory, ['--webhook-url', WEBHOOK], token)
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /octo\/shop: can be read, and octo may write there/)
  assert.match(first.stdout, /octo\/cart: webhook made/)
  const settings = settingsIn(directory)
  const { GITHUB_WEBHOOK_SECRET: secret = '' } = settings
  assert.match(secret, /^[0-9a-f]{64}$/)
  assert.equal(settings.GITHUB_TOKEN, token)
  assert.equal(statSync(path.join(directory, 'github.env')).mode & 0o777, 0o600)
  for (const hidden of [token, secret]) {
    assert.equal(`${first.stdout}${first.stderr}`.includes(hidden), false)
  }
  const made = github.requests.filter(({ method }) => method === 'POST')
  const hook = {
    name: 'web',
    active: true,
    config: { url: WEBHOOK, content_type: 'json', insecure_ssl: '0', secret },
    events: ['pull_request', 'issue_comment', 'pull_request_review_comment'],
  }
  assert.deepEqual(
    made.map(({ path, body }) => [path, body]),
    ['shop', 'cart'].map((name) => [`/repos/octo/${name}/hooks`, hook]),
  )

  const other = github.createToken('octo')
  const second = await setUp(github, directory, ['--webhook-url', WEBHOOK], other)
  assert.equal(second.code, 0, second.stderr)
  assert.match(second.stdout, /octo\/shop: its webhook was there/)
  assert.deepEqual({ ...settingsIn(directory) }, { ...settings, GITHUB_TOKEN: other })
})

test('what a token may not do is said before any webhook is made or anything is written', {
  skip,
}, async (t) => {
  const github = await startShops(t)
  const directory = aDirectory(t)
  github.repository('octo/shop').setPermission('mona', 'admin')
  github.repository('octo/cart').setPermission('mona', 'read')
  const args = ['--webhook-url', WEBHOOK]
  const reader = await setUp(github, directory, args, github.createToken('mona'))
  assert.equal(reader.code, 2)
  assert.match(reader.stderr, /SETUP_FORBIDDEN: The token's owner may not write to octo\/cart/)

  const stranger = await setUp(github, directory, args, github.createToken('stranger'))
  assert.match(stranger.stderr, /GITHUB_NOT_FOUND: .*\/repos\/octo\/shop/)
  const wrong = await setUp(github, directory, args, 'ghp_wrong')
  assert.match(wrong.stderr, /GITHUB_UNAUTHORIZED.*\n.*GITHUB_TOKEN is wrong/)

  github.repository('octo/cart').setPermission('mona', 'write')
  github.repository('octo/shop').setPermission('mona', 'write')
  const writer = await setUp(github, directory, args, github.createToken('mona'))
  assert.match(writer.stderr, /SETUP_FORBIDDEN: The token may not manage the webhooks of octo\/shop/)
  assert.match(writer.stderr, /--poll/)
  assert.equal(
    github.requests.some(({ method }) => method !== 'GET'),
    false,
  )
  assert.equal(existsSync(directory), false)
})

test('a token is read from a pipe, and is enough for polling without any webhook', { skip }, async (t) => {
  const github = await startShops(t)
  const directory = aDirectory(t)
  const token = github.createToken('octo')
  const args = ['setup', 'github', '--token', '--poll', '--allow', 'octo/shop']
  const child = spawn(process.execPath, ['src/cli/main.ts', ...args], {
    env: { ...process.env, KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.end(`${token}\n`)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  assert.equal(child.exitCode, 0, stderr)
  assert.match(stdout, /Reviews will appear in the name of octo/)
  const settings = settingsIn(directory)
  assert.equal(settings.GITHUB_TOKEN, token)
  assert.equal(settings.GITHUB_POLL_SECONDS, '60')
  assert.equal(settings.GITHUB_WEBHOOK_SECRET, undefined)
})

test('no token is no token', { skip }, async (t) => {
  const github = await startShops(t)
  const { code, stderr } = await setUp(github, aDirectory(t), ['--poll'], '')
  assert.equal(code, 2)
  assert.match(stderr, /SETUP_INCOMPLETE: No token was given/)
})

/** A repository whose answer says what a classic token may do. */
async function startClassic(t: TestContext, scopes: string | undefined, over: object = {}) {
  const repository = {
    full_name: 'octo/shop',
    private: true,
    default_branch: 'main',
    permissions: { push: true },
  }
  const headers: Record<string, string> = scopes === undefined ? {} : { 'x-oauth-scopes': scopes }
  const api = await startRawApi(t)
  api.on('GET /repos/octo/shop', json(200, { ...repository, ...over }, headers))
  api.on('GET /repos/octo/shop/pulls?per_page=1', json(200, []))
  return api
}

for (const [scopes, over, kind] of [
  ['gist, repo', {}, 'classic'],
  ['public_repo', { private: false }, 'classic'],
  [undefined, {}, 'fine-grained'],
] as const) {
  test(`scopes ${JSON.stringify(scopes)} are enough for ${JSON.stringify(over)}`, async (t) => {
    const client = tokenClient((await startClassic(t, scopes, over)).url)
    assert.deepEqual(await inspectRepository(client, 'octo/shop'), { kind })
  })
}

for (const [scopes, over, code] of [
  ['public_repo', {}, 'SETUP_FORBIDDEN'],
  ['', {}, 'SETUP_FORBIDDEN'],
  ['repo', { permissions: { pull: true, push: false } }, 'SETUP_FORBIDDEN'],
  ['repo', { full_name: 'octo/store' }, 'SETUP_RENAMED'],
] as const) {
  test(`scopes ${JSON.stringify(scopes)} are not enough for ${JSON.stringify(over)}`, async (t) => {
    const client = tokenClient((await startClassic(t, scopes, over)).url)
    await assert.rejects(inspectRepository(client, 'octo/shop'), { code })
  })
}
