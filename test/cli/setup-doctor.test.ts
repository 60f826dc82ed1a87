import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { checkGitHub } from '../../src/cli/doctor/check-github.ts'
import { githubDescription } from '../github/description.ts'
import { type GitHub, startGitHub } from '../github/server.ts'
import { createDatabase } from '../support/database.ts'
import { startHandler } from '../webhook-handler/start-handler.ts'

const skip = await githubDescription()
const WEBHOOK = 'http://127.0.0.1:9/webhooks/github'

async function startInstalled(t: TestContext) {
  const github = await startGitHub(t)
  github.createRepository('octo/shop')
  github.webhooks.deliverTo(WEBHOOK)
  github.app.permissions.contents = 'write'
  return github
}

async function openPullRequest(github: GitHub): Promise<void> {
  const shop = github.repository('octo/shop')
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature' })
  await github.webhooks.settled()
}

const asApp = (github: GitHub, more: Record<string, string> = {}) =>
  checkGitHub(
    {
      GITHUB_API_URL: github.apiUrl,
      GITHUB_APP_ID: String(github.app.id),
      GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
      GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
      ...more,
    },
    '/nowhere',
  )

/** A server that answers every request with this status, until it is told another. */
async function startAnswering(t: TestContext, status: number) {
  const answer = { status }
  const server = createServer((_, response) => response.writeHead(answer.status).end())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { answer, url: `http://127.0.0.1:${port}/webhooks/github` }
}

test('without credentials GitHub is off, which is allowed', async () => {
  assert.deepEqual(await checkGitHub({}, '/nowhere'), {
    state: 'off',
    says: 'not connected (`kodus setup github`)',
  })
})

test('an App that is well says where it is installed, and where its webhooks go', { skip }, async (t) => {
  const github = await startInstalled(t)
  github.createRepository('acme/site')
  const { state, says } = await asApp(github)
  assert.equal(state, 'ok')
  assert.equal(
    says,
    `App kodus, installed at octo, acme, webhooks to ${WEBHOOK}; no delivery failed in three days`,
  )
})

test('deliveries that failed are counted, with what the newest was answered', { skip }, async (t) => {
  const github = await startInstalled(t)
  await openPullRequest(github)
  assert.match((await asApp(github)).says, /; 1 delivery failed in three days, the newest with 502/)
})

for (const status of [401, 403]) {
  test(`webhooks that are answered ${status} name the secret, until one arrives`, { skip }, async (t) => {
    const github = await startInstalled(t)
    const { answer, url } = await startAnswering(t, status)
    github.webhooks.deliverTo(url)
    await openPullRequest(github)
    await assert.rejects(asApp(github), {
      code: 'GITHUB_DELIVERIES_REFUSED',
      message: new RegExp(`answered ${status}: GitHub signs with another secret than GITHUB_WEBHOOK_SECRET`),
      help: /on the App's page/,
    })
    answer.status = 202
    await github.webhooks.ping()
    assert.match((await asApp(github)).says, new RegExp(`the newest with ${status}`))
  })
}

test('a handler with another secret says which one it is, and so does the doctor', { skip }, async (t) => {
  const github = await startInstalled(t)
  const { url: DATABASE_URL } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL, GITHUB_WEBHOOK_SECRET: 'another secret' })
  github.webhooks.deliverTo(`${handler.url}/webhooks/github`)
  await openPullRequest(github)
  const { msg } = await handler.line(({ code }) => code === 'SIGNATURE_INVALID')
  assert.match(msg, /was not made with GITHUB_WEBHOOK_SECRET/)
  const told = github.webhooks.deliveries.at(-1)?.response?.body ?? ''
  assert.match(told, /on the App's page/)
  for (const text of [msg, told]) {
    assert.doesNotMatch(text, new RegExp(`another secret|${github.app.webhookSecret}`))
  }
  await assert.rejects(asApp(github), { code: 'GITHUB_DELIVERIES_REFUSED' })
})

test('a key file that cannot be read is named, unless the name may be a key', async () => {
  const refusal = async (file: string) => {
    const env = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY_FILE: file }
    return await checkGitHub(env, '/nowhere').catch((error) => `${error.code}: ${error.message}`)
  }
  for (const file of ['/nowhere/key', './nowhere.key', 'nowhere/app.pem']) {
    assert.match(String(await refusal(file)), new RegExp(`^GITHUB_KEY_UNREADABLE: .* names, ${file}, cannot`))
  }
  for (const file of ['MIIEpAIBAAKCAQEA', `/${'kEy0'.repeat(16)}`, '/kEy0\nkEy1.pem']) {
    assert.match(String(await refusal(file)), /^GITHUB_KEY_UNREADABLE: .* names cannot be read/)
  }
})

test("a token's webhooks that are refused name the secret, until one arrives", { skip }, async (t) => {
  const github = await startGitHub(t)
  github.createRepository('octo/shop', { installed: false })
  const { answer, url } = await startAnswering(t, 401)
  const env = {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_TOKEN: github.createToken('octo'),
    GITHUB_REPOSITORIES: 'octo/shop',
  }
  const made = await fetch(`${github.apiUrl}/repos/octo/shop/hooks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.GITHUB_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'web',
      config: { url, content_type: 'json' },
      events: ['pull_request'],
    }),
  })
  assert.equal(made.status, 201)
  await openPullRequest(github)
  await assert.rejects(checkGitHub(env, '/nowhere'), {
    code: 'GITHUB_DELIVERIES_REFUSED',
    help: /page of the repository's webhook/,
  })
  answer.status = 202
  github.repository('octo/shop').openPullRequest({ head: 'feature' })
  await github.webhooks.settled()
  assert.match((await checkGitHub(env, '/nowhere')).says, /the newest with 401/)
})

test('a webhook without a secret here, or beside polling, is to be mended', { skip }, async (t) => {
  const github = await startInstalled(t)
  await assert.rejects(asApp(github, { GITHUB_WEBHOOK_SECRET: '' }), {
    code: 'GITHUB_SECRET_MISSING',
    message: /answers 503 .*9\/webhooks\/github/,
  })
  const polled = { GITHUB_REPOSITORIES: 'octo/shop', GITHUB_POLL_SECONDS: '60' }
  await assert.rejects(asApp(github, polled), { code: 'GITHUB_TOLD_TWICE', help: /^Choose one/ })
  assert.equal((await asApp(github, { ...polled, GITHUB_WEBHOOK_SECRET: '' })).state, 'ok')
})

test('an App that may only read contents is well, and leaves threads to people', { skip }, async (t) => {
  const github = await startInstalled(t)
  github.app.permissions.contents = 'read'
  const { state, says } = await asApp(github)
  assert.equal(state, 'ok')
  assert.match(says, /, threads are answered, not resolved \(contents: read\);/)
})

test('permissions that are missing are named', { skip }, async (t) => {
  const github = await startInstalled(t)
  github.app.permissions.pull_requests = 'read'
  delete github.app.permissions.checks
  await assert.rejects(asApp(github), {
    code: 'GITHUB_PERMISSIONS_MISSING',
    message: 'The App kodus lacks pull_requests: write, checks: write.',
  })
})

test('an App that is installed nowhere, or not where it is wanted, says where to install it', {
  skip,
}, async (t) => {
  const github = await startInstalled(t)
  github.createRepository('acme/site', { installed: false })
  const other = asApp(github, { GITHUB_REPOSITORIES: 'octo,acme/site' })
  await assert.rejects(other, { code: 'GITHUB_NOT_INSTALLED', message: /for acme\/site/ })
  const owner = asApp(github, { GITHUB_REPOSITORIES: 'Octo,Acme' })
  await assert.rejects(owner, { code: 'GITHUB_NOT_INSTALLED', message: /for acme\.$/ })
  github.uninstallApp('octo')
  await assert.rejects(asApp(github), {
    code: 'GITHUB_NOT_INSTALLED',
    help: /\/apps\/kodus\/installations\/new/,
  })
})

test('an App that nobody tells anything is well only where GitHub is polled', { skip }, async (t) => {
  const github = await startInstalled(t)
  github.webhooks.deliverTo(undefined)
  await assert.rejects(asApp(github), { code: 'GITHUB_HOOK_MISSING' })
  const polled = await asApp(github, { GITHUB_REPOSITORIES: 'octo/shop', GITHUB_POLL_SECONDS: '60' })
  assert.equal(polled.says, 'App kodus, installed at octo; polled every 60 s')
})

test('a token says whose it is and what it is good for, and what it lacks', { skip }, async (t) => {
  const github = await startInstalled(t)
  const asToken = (login: string, more: Record<string, string>) =>
    checkGitHub(
      { GITHUB_API_URL: github.apiUrl, GITHUB_TOKEN: github.createToken(login), ...more },
      '/nowhere',
    )
  const listed = { GITHUB_REPOSITORIES: 'octo/shop' }
  assert.equal(
    (await asToken('octo', { ...listed, GITHUB_POLL_SECONDS: '60' })).says,
    'token of octo, good for octo/shop; polled every 60 s',
  )
  assert.match((await asToken('octo', listed)).says, /no delivery failed/)
  github.repository('octo/shop').setPermission('mona', 'write')
  assert.match(
    (await asToken('mona', listed)).says,
    /webhooks cannot be looked at \(octo\/shop: GITHUB_FORBIDDEN/,
  )
  await assert.rejects(asToken('stranger', listed), { code: 'GITHUB_NOT_FOUND' })
})

test('polling without names, or too often, is refused by the name of the variable', async () => {
  const env = { GITHUB_TOKEN: 'ghp_x', GITHUB_POLL_SECONDS: '60' }
  for (const repositories of ['', 'acme', 'acme/api,acme']) {
    await assert.rejects(checkGitHub({ ...env, GITHUB_REPOSITORIES: repositories }, '/nowhere'), {
      code: 'CONFIG_INVALID',
      message: /GITHUB_POLL_SECONDS is set, and GITHUB_REPOSITORIES/,
    })
  }
  for (const seconds of ['9', 'often', '1.5']) {
    const often = { ...env, GITHUB_REPOSITORIES: 'acme/api', GITHUB_POLL_SECONDS: seconds }
    await assert.rejects(checkGitHub(often, '/nowhere'), { code: 'CONFIG_INVALID', help: /10 to 86400/ })
  }
})
