import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseEnv } from 'node:util'
import { checkOptions, type GitHubSetupOptions } from '../../src/cli/setup/setup-options.ts'
import { readGitHubConfig } from '../../src/forges/github/config.ts'
import { githubDescription } from '../github/description.ts'
import { type GitHub, startGitHub } from '../github/server.ts'
import { kodus } from '../support/kodus.ts'
import { aDirectory, readForm, startSetup } from './start-setup.ts'

const skip = await githubDescription()
const WEBHOOK = 'http://127.0.0.1:3332/webhooks/github'

/** What GitHub does once the person has confirmed: it sends the browser back, with a code. */
async function confirm(github: GitHub, page: string) {
  const { action, manifest } = await readForm(page)
  const back = new URL(manifest.redirect_url)
  back.searchParams.set('code', github.createManifestCode(manifest))
  back.searchParams.set('state', action.searchParams.get('state') ?? '')
  return await fetch(back, { redirect: 'manual' })
}

async function setUp(t: TestContext, github: GitHub, directory: string, args: string[]) {
  const env = { KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl }
  const { page, ended } = await startSetup(t, args, env)
  const answer = await confirm(github, page)
  return { answer, ...(await ended) }
}

function settingsIn(directory: string): Record<string, string | undefined> {
  return parseEnv(readFileSync(path.join(directory, 'github.env'), 'utf8'))
}

test('from a page on this machine to an App whose keys are here, and nowhere else', { skip }, async (t) => {
  const github = await startGitHub(t)
  const directory = aDirectory(t)
  const { page, ended } = await startSetup(
    t,
    ['--organisation', 'acme', '--allow', 'acme', '--allow', 'octo/shop', '--webhook-url', WEBHOOK],
    { KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl },
  )
  const { html, action, manifest } = await readForm(page)
  assert.equal(`${action.origin}${action.pathname}`, `${github.origin}/organizations/acme/settings/apps/new`)
  assert.deepEqual(manifest, {
    name: 'kodus-review',
    url: 'https://github.com/kodustech/kodus-ai',
    description: 'Self-hosted AI code review.',
    redirect_url: `${page}created`,
    public: false,
    default_permissions: {
      metadata: 'read',
      contents: 'write',
      pull_requests: 'write',
      issues: 'read',
      checks: 'write',
    },
    default_events: ['pull_request', 'issue_comment', 'pull_request_review_comment'],
    hook_attributes: { url: WEBHOOK, active: true },
  })
  assert.match(html, /<td>pull requests<td>write<td>post reviews/)
  assert.equal(existsSync(directory), false, 'nothing is written before GitHub has made the App')

  const answer = await confirm(github, page)
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.get('location'), `${github.origin}/apps/${github.app.slug}/installations/new`)
  const { code, stdout, stderr } = await ended
  assert.equal(code, 0, stderr)

  const keyFile = path.join(directory, `github-app-${github.app.id}.pem`)
  assert.deepEqual(
    { ...settingsIn(directory) },
    {
      GITHUB_API_URL: github.apiUrl,
      GITHUB_REPOSITORIES: 'acme,octo/shop',
      GITHUB_OUTSIDE_CHANGES: 'wait',
      GITHUB_APP_ID: String(github.app.id),
      GITHUB_APP_PRIVATE_KEY_FILE: keyFile,
      GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
    },
  )
  assert.equal(readFileSync(keyFile, 'utf8'), github.app.privateKey)
  for (const file of ['github.env', path.basename(keyFile)]) {
    assert.equal(statSync(path.join(directory, file)).mode & 0o777, 0o600, file)
  }
  assert.equal(readGitHubConfig(settingsIn(directory))?.credentials.kind, 'app')
  for (const secret of [github.app.webhookSecret, 'PRIVATE KEY']) {
    assert.equal(`${stdout}${stderr}`.includes(secret), false)
  }
})

test('git takes none of it into a repository', { skip }, async (t) => {
  const github = await startGitHub(t)
  const directory = aDirectory(t)
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: path.dirname(directory), encoding: 'utf8' })
  git('init', '--quiet')
  const { code, stderr } = await setUp(t, github, directory, ['--poll', '--allow', 'octo/shop'])
  assert.equal(code, 0, stderr)
  assert.equal(git('status', '--porcelain', '--untracked-files=all'), '')
})

test('polling asks for an App without events, and has no secret for webhooks', { skip }, async (t) => {
  const github = await startGitHub(t)
  const directory = aDirectory(t)
  const env = { KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl }
  const args = ['--poll', '--allow', 'octo/shop', '--no-resolve-threads', '--name', 'reviews of "octo"']
  const { page, ended } = await startSetup(t, args, env)
  const { action, manifest } = await readForm(page)
  assert.equal(action.pathname, '/settings/apps/new')
  assert.equal(manifest.name, 'reviews of "octo"')
  assert.equal(manifest.default_permissions.contents, 'read')
  assert.equal('hook_attributes' in manifest || 'default_events' in manifest, false)
  await confirm(github, page)
  assert.equal((await ended).code, 0)
  const settings = settingsIn(directory)
  assert.equal(settings.GITHUB_POLL_SECONDS, '60')
  assert.equal(settings.GITHUB_WEBHOOK_SECRET, undefined)
  assert.equal(readGitHubConfig(settings)?.pollSeconds, 60)
})

test('a page that is not the one GitHub sent, and a name that leads here, get nowhere', {
  skip,
}, async (t) => {
  const github = await startGitHub(t)
  const directory = aDirectory(t)
  const env = { KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl }
  const { page, ended } = await startSetup(t, ['--webhook-url', WEBHOOK], env)
  const port = Number(new URL(page).port)
  const rebound = request({ port, host: '127.0.0.1', headers: { host: `attacker.example:${port}` } }).end()
  const [refused] = await once(rebound, 'response')
  assert.equal(refused.statusCode, 403)
  const odd = request({ port, host: '127.0.0.1', path: '//[', headers: { host: `127.0.0.1:${port}` } }).end()
  assert.equal((await once(odd, 'response'))[0].statusCode, 404)

  const code = github.createManifestCode({})
  for (const state of ['', `&state=${'0'.repeat(48)}`]) {
    assert.equal((await fetch(`${page}created?code=${code}${state}`)).status, 404)
  }
  assert.equal((await confirm(github, page)).status, 303)
  assert.equal((await ended).code, 0)
})

test('a code that GitHub does not take ends it, and nothing is written', { skip }, async (t) => {
  const github = await startGitHub(t)
  const directory = aDirectory(t)
  github.fail({ path: /conversions$/, with: { status: 404, message: 'Not Found' } })
  const { answer, code, stderr } = await setUp(t, github, directory, ['--webhook-url', WEBHOOK])
  assert.equal(answer.status, 502)
  assert.match(await answer.text(), /GitHub gave no keys/)
  assert.equal(code, 2)
  assert.match(stderr, /GITHUB_CODE_REFUSED.*\(404\)/)
  assert.equal(existsSync(directory), false)
})

test('keys that can be had once are asked for again when GitHub fails', { skip }, async (t) => {
  const github = await startGitHub(t)
  const fault = github.fail({ path: /conversions$/, with: { status: 503 } })
  const { code } = await setUp(t, github, aDirectory(t), ['--webhook-url', WEBHOOK])
  assert.equal(fault.happened(), 1)
  assert.equal(code, 0)
})

test('an App that is connected is not let go of by mistake, and its settings are kept', {
  skip,
}, async (t) => {
  const github = await startGitHub(t)
  const directory = aDirectory(t)
  const env = { KODUS_DIRECTORY: directory, GITHUB_API_URL: github.apiUrl }
  assert.equal((await setUp(t, github, directory, ['--webhook-url', WEBHOOK])).code, 0)
  const before = readFileSync(path.join(directory, 'github.env'), 'utf8')

  for (const way of [
    ['--webhook-url', WEBHOOK],
    ['--token', '--poll', '--allow', 'octo/shop'],
  ]) {
    const again = await kodus(['setup', 'github', ...way], env)
    assert.equal(again.code, 2)
    assert.match(again.stderr, /SETUP_EXISTS: GitHub is connected already, as App 4217/)
  }
  assert.equal(readFileSync(path.join(directory, 'github.env'), 'utf8'), before)

  const forced = await setUp(t, github, directory, ['--force', '--poll', '--allow', 'octo/shop'])
  assert.equal(forced.code, 0, forced.stderr)
  const kept = readdirSync(directory).filter((name) => /^github-\d{4}-.*\.env$/.test(name))
  assert.equal(kept.length, 1)
  const [file = ''] = kept
  assert.ok(forced.stdout.includes(path.join(directory, file)), 'says where they are')
  assert.equal(readFileSync(path.join(directory, file), 'utf8'), before)
  assert.equal(statSync(path.join(directory, file)).mode & 0o777, 0o600)
})

test('without a word on how GitHub is to reach it, it says what the ways are', async (t) => {
  const directory = aDirectory(t)
  const { code, stderr } = await kodus(['setup', 'github'], { KODUS_DIRECTORY: directory })
  assert.equal(code, 2)
  assert.match(stderr, /^SETUP_INCOMPLETE: .*cloudflared tunnel.*--poll/s)
  assert.equal(existsSync(directory), false)
})

const PUBLIC = 'https://reviews.example/webhooks/github'
const ANY = { name: 'kodus-review', allow: [], outside: 'wait', port: 0 } as const
const REFUSED: [what: string, options: Partial<GitHubSetupOptions>, code: string, message: RegExp][] = [
  ['webhooks and polling', { poll: true, webhookUrl: PUBLIC }, 'SETUP_INCOMPLETE', /both/],
  ['a loopback address', { webhookUrl: WEBHOOK }, 'SETUP_UNREACHABLE', /cannot reach 127/],
  ['another path', { webhookUrl: 'https://a.example/hook' }, 'SETUP_INCOMPLETE', /webhooks\/github/],
  ['polling of nothing', { poll: true }, 'SETUP_INCOMPLETE', /which repositories/],
  ['polling of an owner', { poll: true, allow: ['a/b', 'a'] }, 'SETUP_INCOMPLETE', /a is no repository/],
  ['a token without a list', { token: true, webhookUrl: PUBLIC }, 'SETUP_INCOMPLETE', /listed/],
  ['a list with a mistake', { webhookUrl: PUBLIC, allow: ['a/b/c'] }, 'CONFIG_INVALID', /^--allow .*a\/b\/c/],
  ['too long a name', { webhookUrl: PUBLIC, name: 'x'.repeat(35) }, 'SETUP_INCOMPLETE', /34/],
  ['an address as owner', { webhookUrl: PUBLIC, organisation: 'a/b' }, 'SETUP_INCOMPLETE', /"a\/b"/],
]

for (const [what, options, code, message] of REFUSED) {
  test(`${what} is refused`, () => {
    const check = () => checkOptions({ ...ANY, allow: [], ...options }, 'https://api.github.com')
    assert.throws(check, { code, message })
  })
}

test('a directory that settings cannot name is refused before an App is made', async (t) => {
  const directory = path.join(path.dirname(aDirectory(t)), "it's here")
  const { code, stderr } = await kodus(['setup', 'github', '--poll', '--allow', 'octo/shop'], {
    KODUS_DIRECTORY: directory,
  })
  assert.equal(code, 2)
  assert.match(stderr, /^SETUP_UNWRITABLE/)
})
