import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { type GitHubConfig, readGitHubConfig } from '../../../src/forges/github/config.ts'
import type { Environment } from '../../../src/lib/env.ts'
import type { KodusError } from '../../../src/lib/errors.ts'
import { PRIVATE_KEY, PUBLIC_KEY, TOKEN } from './client-options.ts'

const APP = { GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: PRIVATE_KEY }

function read(env: Environment): GitHubConfig {
  const config = readGitHubConfig(env)
  assert.ok(config)
  return config
}

function refusal(env: Environment): KodusError {
  try {
    readGitHubConfig(env)
  } catch (error) {
    return error as KodusError
  }
  return assert.fail('it was taken')
}

function keyFile(t: TestContext, text: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-key-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = path.join(directory, 'app.pem')
  writeFileSync(file, text)
  return file
}

/** The public half of what an App would sign with. */
function publicKeyOf({ credentials }: GitHubConfig): string {
  assert.equal(credentials.kind, 'app')
  assert.ok('privateKey' in credentials)
  return createPublicKey(credentials.privateKey).export({ type: 'spki', format: 'pem' }).toString()
}

test('without credentials, GitHub is not configured, whatever else is set', () => {
  assert.equal(readGitHubConfig({}), undefined)
  assert.equal(readGitHubConfig({ GITHUB_API_URL: 'nonsense', GITHUB_REPOSITORIES: 'acme' }), undefined)
  assert.equal(readGitHubConfig({ GITHUB_TOKEN: ' ' }), undefined)
})

test('a token is enough, and the rest has defaults', () => {
  assert.deepEqual(read({ GITHUB_TOKEN: ` ${TOKEN}\n` }), {
    apiUrl: 'https://api.github.com',
    gitOrigin: 'https://github.com',
    credentials: { kind: 'token', token: TOKEN },
    repositories: [],
    outsideChanges: 'wait',
    pollSeconds: undefined,
    caFile: undefined,
    ca: undefined,
    proxies: {},
  })
})

test('the key is taken as GitHub hands it out, as PKCS#8, on one line, in base64, or from a file', (t) => {
  const pkcs8 = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = pkcs8.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const expected = pkcs8.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  assert.equal(publicKeyOf(read({ ...APP, GITHUB_APP_PRIVATE_KEY: pem })), expected)
  for (const key of [
    PRIVATE_KEY,
    PRIVATE_KEY.replaceAll('\n', '\\n'),
    PRIVATE_KEY.replaceAll('\n', '\r\n'),
    Buffer.from(PRIVATE_KEY).toString('base64'),
    Buffer.from(PRIVATE_KEY).toString('base64').replace(/.{76}/g, '$&\n'),
  ]) {
    assert.equal(publicKeyOf(read({ ...APP, GITHUB_APP_PRIVATE_KEY: key })), PUBLIC_KEY)
  }
  const file = keyFile(t, PRIVATE_KEY)
  assert.equal(publicKeyOf(read({ GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY_FILE: file })), PUBLIC_KEY)
})

test('a key that cannot be used is refused at start, without a word of it', (t) => {
  const half = PRIVATE_KEY.slice(0, 400)
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const ec = curve.export({ type: 'pkcs8', format: 'pem' }).toString()
  const oneLine = PRIVATE_KEY.split('\n')[1] ?? ''
  for (const [env, code] of [
    [{ GITHUB_APP_PRIVATE_KEY: half }, 'GITHUB_KEY_INVALID'],
    [{ GITHUB_APP_PRIVATE_KEY: 'secret-secret-secret' }, 'GITHUB_KEY_INVALID'],
    [{ GITHUB_APP_PRIVATE_KEY: PUBLIC_KEY }, 'GITHUB_KEY_INVALID'],
    [{ GITHUB_APP_PRIVATE_KEY: ec }, 'GITHUB_KEY_INVALID'],
    [{ GITHUB_APP_PRIVATE_KEY_FILE: keyFile(t, half) }, 'GITHUB_KEY_INVALID'],
    [{ GITHUB_APP_PRIVATE_KEY_FILE: PRIVATE_KEY }, 'GITHUB_KEY_INVALID'],
    [{ GITHUB_APP_PRIVATE_KEY_FILE: oneLine }, 'GITHUB_KEY_UNREADABLE'],
    [{ GITHUB_APP_PRIVATE_KEY_FILE: '/nowhere/app.pem' }, 'GITHUB_KEY_UNREADABLE'],
    [{ GITHUB_APP_PRIVATE_KEY_FILE: tmpdir() }, 'GITHUB_KEY_UNREADABLE'],
  ] as const) {
    const error = refusal({ GITHUB_APP_ID: '7', ...env })
    assert.equal(error.code, code)
    const [value = ''] = Object.values(env)
    const told = inspect(error, { depth: null }) + JSON.stringify(error.report())
    for (const line of value.split('\n').filter((text) => text.length > 12 && !text.startsWith('/'))) {
      assert.ok(!told.includes(line), `${error.message} repeats the key`)
    }
  }
})

test('a configuration that is printed shows no key', () => {
  const printed = inspect(read(APP), { depth: null }) + JSON.stringify(read(APP))
  assert.doesNotMatch(printed, /BEGIN|MII/)
})

for (const [name, env, code] of [
  ['an App and a token', { ...APP, GITHUB_TOKEN: TOKEN }, 'CONFIG_INVALID'],
  ['half an App and a token', { GITHUB_APP_ID: '7', GITHUB_TOKEN: TOKEN }, 'CONFIG_INVALID'],
  ['an App without its key', { GITHUB_APP_ID: '7' }, 'CONFIG_MISSING'],
  ['a key without its App', { GITHUB_APP_PRIVATE_KEY: PRIVATE_KEY }, 'CONFIG_MISSING'],
  ['two keys', { ...APP, GITHUB_APP_PRIVATE_KEY_FILE: '/app.pem' }, 'CONFIG_INVALID'],
  ['a client id for an id', { ...APP, GITHUB_APP_ID: 'Iv23liABCDEF' }, 'CONFIG_INVALID'],
  ['two tokens', { GITHUB_TOKEN: `${TOKEN}\n${TOKEN}` }, 'CONFIG_INVALID'],
  ['another policy', { ...APP, GITHUB_OUTSIDE_CHANGES: 'allow' }, 'CONFIG_INVALID'],
  ['an allowlist with a URL', { ...APP, GITHUB_REPOSITORIES: 'https://github.com/acme' }, 'CONFIG_INVALID'],
  ['an allowlist with a pattern', { ...APP, GITHUB_REPOSITORIES: 'acme/*' }, 'CONFIG_INVALID'],
  ['http', { ...APP, GITHUB_API_URL: 'http://ghe.example.com/api/v3' }, 'CONFIG_INVALID'],
  [
    'a password in the address',
    { ...APP, GITHUB_API_URL: 'https://me:hunter2@ghe.example.com/' },
    'CONFIG_INVALID',
  ],
  ['a server without its API', { ...APP, GITHUB_API_URL: 'https://ghe.example.com' }, 'CONFIG_INVALID'],
  ['no address', { ...APP, GITHUB_API_URL: 'ghe.example.com/api/v3' }, 'CONFIG_INVALID'],
  ['a CA file that is not there', { ...APP, GITHUB_CA_FILE: '/nowhere.pem' }, 'GITHUB_CA_UNREADABLE'],
  [
    "git's CA file that is not there",
    { ...APP, GIT_SSL_CAINFO: '/nowhere.pem' },
    'GIT_SSL_CAINFO_UNREADABLE',
  ],
] as const) {
  test(`${name} is a mistake that is told at start`, () => {
    const error = refusal(env)
    assert.equal(error.code, code)
    assert.ok(error.help.length > 10)
    assert.doesNotMatch(error.message + error.help, new RegExp(`hunter2|${TOKEN}`))
  })
}

for (const [apiUrl, api, git] of [
  ['https://api.github.com/', 'https://api.github.com', 'https://github.com'],
  ['https://ghe.example.com/api/v3/', 'https://ghe.example.com/api/v3', 'https://ghe.example.com'],
  [
    'https://ghe.example.com:8443/api/v3',
    'https://ghe.example.com:8443/api/v3',
    'https://ghe.example.com:8443',
  ],
  ['https://api.acme.ghe.com', 'https://api.acme.ghe.com', 'https://acme.ghe.com'],
  ['http://127.0.0.1:3000/api/v3', 'http://127.0.0.1:3000/api/v3', 'http://127.0.0.1:3000'],
  ['http://[::1]:3000', 'http://[::1]:3000', 'http://[::1]:3000'],
] as const) {
  test(`with the API at ${apiUrl}, repositories are at ${git}`, () => {
    const { apiUrl: read1, gitOrigin } = read({ ...APP, GITHUB_API_URL: apiUrl })
    assert.deepEqual([read1, gitOrigin], [api, git])
  })
}

test('the allowlist is compared in lower case, and blanks in it mean nothing', () => {
  const { repositories } = read({ ...APP, GITHUB_REPOSITORIES: ' Acme, Umbrella/App ,,' })
  assert.deepEqual(repositories, ['acme', 'umbrella/app'])
})
