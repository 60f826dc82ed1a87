import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MAX_BODY_BYTES } from '../../src/webhook-handler/read-body.ts'
import { createDatabase } from '../support/database.ts'
import { pullRequestEvent } from './pull-request-event.ts'
import {
  type Answered,
  gitBody,
  gitHeaders,
  githubHeaders,
  type Handler,
  post,
  SECRETS,
  sign,
  startHandler,
} from './start-handler.ts'

/** One row of the table: what is sent, and what must be answered. */
interface Row {
  sent: string
  send: (handler: Handler) => Promise<Answered>
  status: number
  code: string
  detail?: RegExp
}

const git =
  (body: string | Buffer, headers: Record<string, string> = {}) =>
  (handler: Handler) =>
    post(`${handler.url}/webhooks/git`, body, { ...gitHeaders(body), ...headers })

const github =
  (body: string, headers: Record<string, string> = {}) =>
  (handler: Handler) =>
    post(`${handler.url}/webhooks/github`, body, { ...githubHeaders(body), ...headers })

const request = (method: string, path: string) => async (handler: Handler) => {
  const response = await fetch(handler.url + path, { method })
  const body = (await response.json()) as Answered['body']
  return { status: response.status, headers: response.headers, body }
}

const without = (header: string) => (handler: Handler) => {
  const body = gitBody()
  const headers: Record<string, string> = gitHeaders(body)
  delete headers[header]
  return post(`${handler.url}/webhooks/git`, body, headers)
}

const malformed = (sent: string, fields: Record<string, unknown>, detail: RegExp): Row => ({
  sent,
  send: git(gitBody(fields)),
  status: 400,
  code: 'WEBHOOK_MALFORMED',
  detail,
})

const body = gitBody()
const event = pullRequestEvent({})
const cut = (path: string) => {
  const [first = '', second] = path.split('.')
  const parsed = JSON.parse(event)
  if (second) delete parsed[first][second]
  else delete parsed[first]
  return JSON.stringify(parsed)
}

const TABLE: Row[] = [
  {
    sent: 'no signature',
    send: without('x-kodus-signature-256'),
    status: 401,
    code: 'SIGNATURE_INVALID',
  },
  {
    sent: "another secret's signature",
    send: git(body, { 'x-kodus-signature-256': sign(body, 'guess') }),
    status: 401,
    code: 'SIGNATURE_INVALID',
  },
  {
    sent: 'the signature of another body',
    send: git(body, { 'x-kodus-signature-256': sign(`${body} `, SECRETS.GIT_WEBHOOK_SECRET) }),
    status: 401,
    code: 'SIGNATURE_INVALID',
  },
  {
    sent: 'a signature that is not hex',
    send: git(body, { 'x-kodus-signature-256': `sha256=${'z'.repeat(64)}` }),
    status: 401,
    code: 'SIGNATURE_INVALID',
  },
  {
    sent: 'a signature that is too short',
    send: git(body, { 'x-kodus-signature-256': 'sha256=00' }),
    status: 401,
    code: 'SIGNATURE_INVALID',
  },
  {
    sent: "the other forge's secret",
    send: github(event, { 'x-hub-signature-256': sign(event, SECRETS.GIT_WEBHOOK_SECRET) }),
    status: 401,
    code: 'SIGNATURE_INVALID',
  },
  {
    sent: 'no delivery id',
    send: without('x-kodus-delivery'),
    status: 400,
    code: 'DELIVERY_ID_INVALID',
    detail: /x-kodus-delivery is missing/,
  },
  {
    sent: 'a delivery id of 129 characters',
    send: git(body, { 'x-kodus-delivery': 'i'.repeat(129) }),
    status: 400,
    code: 'DELIVERY_ID_INVALID',
  },
  {
    sent: 'a delivery id with odd characters',
    send: git(body, { 'x-kodus-delivery': "1'; drop table deliveries" }),
    status: 400,
    code: 'DELIVERY_ID_INVALID',
  },
  { sent: 'broken JSON', send: git('{"repository": '), status: 400, code: 'WEBHOOK_MALFORMED' },
  { sent: 'an empty body', send: git(''), status: 400, code: 'WEBHOOK_MALFORMED' },
  {
    sent: 'bytes that are no text',
    send: git(Buffer.from([0xff, 0xfe, 0x00])),
    status: 400,
    code: 'WEBHOOK_MALFORMED',
  },
  { sent: 'JSON that is no object', send: git('17'), status: 400, code: 'WEBHOOK_MALFORMED' },
  { sent: 'JSON null', send: git('null'), status: 400, code: 'WEBHOOK_MALFORMED' },
  malformed('no repository', { repository: undefined }, /"repository" is missing/),
  malformed('a repository of the wrong type', { repository: 7 }, /"repository" is of the wrong type/),
  malformed('an empty repository', { repository: '' }, /"repository" must not be empty/),
  malformed('a repository of 2,001 bytes', { repository: `/${'r'.repeat(2_000)}` }, /longer than 2000 bytes/),
  malformed('a repository that reads as an option', { repository: '--upload-pack=x' }, /start with "-"/),
  malformed('a repository with a newline', { repository: '/srv/a\n/srv/b' }, /control characters/),
  malformed('a repository with a NUL', { repository: '/srv/a\0' }, /control characters/),
  malformed('half a surrogate pair in the repository', { repository: '/srv/\ud800' }, /control characters/),
  malformed('a password in the URL', { repository: 'https://me:pass@git.example/a' }, /credentials/),
  malformed('a token in the URL', { repository: 'https://ghp_token@git.example/a' }, /credentials/),
  malformed('a password for ssh', { repository: 'ssh://git:pass@git.example/a' }, /credentials/),
  malformed(
    'a token behind a remote helper',
    { repository: 'ext::https://tok@git.example/a' },
    /credentials/,
  ),
  malformed('no base', { base: undefined }, /"base" is missing/),
  malformed('no head', { head: undefined }, /"head" is missing/),
  malformed('a head that reads as an option', { head: '--output=/etc/passwd' }, /"head" must be/),
  malformed('a head that is a range', { head: 'main..topic' }, /"head" must be/),
  malformed('a head of the wrong type', { head: ['main'] }, /"head" is of the wrong type/),
  malformed('a title of the wrong type', { title: { text: 'x' } }, /"title" is of the wrong type/),
  malformed('a branch of the wrong type', { branch: 1 }, /"branch" is of the wrong type/),
  malformed('an empty branch', { branch: '' }, /"branch" must not be empty/),
  {
    sent: 'a pull_request event without its pull request',
    send: github(cut('pull_request')),
    status: 400,
    code: 'WEBHOOK_MALFORMED',
    detail: /"pull_request" is missing/,
  },
  {
    sent: 'a pull_request event without a head',
    send: github(cut('pull_request.head')),
    status: 400,
    code: 'WEBHOOK_MALFORMED',
    detail: /"pull_request.head" is missing/,
  },
  {
    sent: 'a pull_request event with a head that is no commit id',
    send: github(pullRequestEvent({ head: 'g' })),
    status: 400,
    code: 'WEBHOOK_MALFORMED',
    detail: /"pull_request.head.sha" must be a full commit id/,
  },
  {
    sent: 'a day that no calendar has',
    send: github(pullRequestEvent({ at: '2026-02-31T00:00:00Z' })),
    status: 400,
    code: 'DELIVERY_REFUSED',
  },
  {
    sent: 'a GitHub event without its name',
    send: github(event, { 'x-github-event': '' }),
    status: 400,
    code: 'WEBHOOK_MALFORMED',
    detail: /X-GitHub-Event/,
  },
  {
    sent: 'broken JSON with an event that is ignored',
    send: github('{', { 'x-github-event': 'push' }),
    status: 400,
    code: 'WEBHOOK_MALFORMED',
  },
  {
    sent: 'a body of 25 MiB and one byte',
    send: git(Buffer.alloc(MAX_BODY_BYTES + 1, ' ')),
    status: 413,
    code: 'BODY_TOO_LARGE',
  },
  {
    sent: 'a webhook of an unknown forge',
    send: request('POST', '/webhooks/sourceforge'),
    status: 404,
    code: 'FORGE_UNKNOWN',
  },
  {
    sent: 'a webhook of a forge named like a property of every object',
    send: request('POST', '/webhooks/constructor'),
    status: 404,
    code: 'FORGE_UNKNOWN',
  },
  { sent: 'a request to nowhere', send: request('GET', '/'), status: 404, code: 'NOT_FOUND' },
  { sent: 'a longer path', send: request('POST', '/webhooks/git/x'), status: 404, code: 'NOT_FOUND' },
]

test('whatever is wrong with a webhook gets a clear answer of its own, and leaves no trace', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })

  for (const { sent, send, status, code, detail } of TABLE) {
    await t.test(`${sent}: ${status} ${code}`, async () => {
      const answered = await send(handler)
      assert.deepEqual([answered.status, answered.body.code], [status, code])
      if (detail) assert.match(answered.body.detail, detail)
      assert.equal(answered.headers.get('content-type'), 'application/problem+json')
      assert.equal(answered.body.status, status)
      assert.equal(answered.headers.get('retry-after'), null)
    })
  }
  await t.test('and the next good one is accepted', async () => {
    assert.equal((await git(gitBody())(handler)).status, 202)
  })
  const { rows } = await pool.query(
    'select (select count(*) from deliveries) + (select count(*) from pull_requests) as written',
  )
  assert.deepEqual(rows, [{ written: '1' }])
})

test('a wrong method is 405, and the answer names the right one', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const expected = { '/webhooks/git': 'POST', '/health': 'GET, HEAD', '/ready': 'GET, HEAD' }
  for (const [path, allow] of Object.entries(expected)) {
    const { status, headers, body } = await request('DELETE', path)(handler)
    assert.deepEqual([status, headers.get('allow'), body.code], [405, allow, 'METHOD_NOT_ALLOWED'])
  }
})

test('a body of exactly 25 MiB is read to its end', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const json = Buffer.from(gitBody())
  const padded = Buffer.concat([json, Buffer.alloc(MAX_BODY_BYTES - json.length, ' ')])
  assert.equal((await git(padded)(handler)).status, 202)
})

test('without a secret the forge is 503 and the variable is named; the other forge is not affected', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url, GITHUB_WEBHOOK_SECRET: ' ' })
  const answered = await github(event)(handler)
  assert.deepEqual([answered.status, answered.body.code], [503, 'SECRET_NOT_CONFIGURED'])
  assert.match(answered.body.detail, /GITHUB_WEBHOOK_SECRET/)
  assert.equal((await git(gitBody())(handler)).status, 202)
})
