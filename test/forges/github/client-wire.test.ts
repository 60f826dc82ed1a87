import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import type { KodusError } from '../../../src/lib/errors.ts'
import { TOKEN, tokenClient } from './client-options.ts'
import {
  empty,
  json,
  page,
  type RawApi,
  type Reply,
  reset,
  silent,
  startRawApi,
  truncated,
} from './raw-api.ts'

const ROUTE = 'GET /repos/acme/app'
const REPOSITORY = { owner: 'acme', repo: 'app' }

async function read(api: RawApi, options: Parameters<typeof tokenClient>[1] = {}) {
  const octokit = await tokenClient(api.url, options).forRepository('acme/app')
  return await octokit.request('GET /repos/{owner}/{repo}', REPOSITORY)
}

async function write(api: RawApi, options: Parameters<typeof tokenClient>[1] = {}) {
  const octokit = await tokenClient(api.url, options).forRepository('acme/app')
  return await octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
    ...REPOSITORY,
    issue_number: 1,
    body: 'hello',
  })
}

const POSTED = 'POST /repos/acme/app/issues/1/comments'

async function failure(attempt: Promise<unknown>): Promise<KodusError> {
  return await attempt.then(
    () => assert.fail('it succeeded'),
    (error) => error,
  )
}

test('a request says who asks, which API it means, and nothing else', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, json(200, { id: 1 }))
  const { data } = await read(api)
  assert.equal(data.id, 1)
  const [request] = api.requests
  assert.equal(request?.headers.authorization, `token ${TOKEN}`)
  assert.equal(request?.headers['x-github-api-version'], '2022-11-28')
  assert.match(request?.headers['user-agent'] ?? '', /^kodus-ai\/\d+\.\d+\.\d+/)
})

for (const [name, fault] of Object.entries<Reply>({
  'a reset connection': reset,
  'an answer cut short': truncated,
  'a 500': json(500, { message: 'Server Error' }),
  'a 502 with a page of HTML': page(502, '<html>Unicorn!</html>'),
  'half a JSON document, framed as a whole one': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id": 1, "na')
  },
  "a proxy's login page": page(200, '<html>Log in</html>'),
  'an empty 200': empty(200, { 'content-type': 'application/json' }),
})) {
  test(`${name} is asked again, once, for a GET`, async (t) => {
    const api = await startRawApi(t)
    api.on(ROUTE, fault, json(200, { id: 1 }))
    assert.equal((await read(api)).data.id, 1)
    assert.equal(api.count(ROUTE), 2)

    api.on(ROUTE, fault)
    const error = await failure(read(api))
    assert.match(error.code, /^GITHUB_(UNREACHABLE|UNAVAILABLE)$/)
    assert.equal(error.retryability, 'transient')
    assert.equal(api.count(ROUTE), 4)
  })

  test(`${name} after a POST is never sent again: it may have been accepted`, async (t) => {
    const api = await startRawApi(t)
    api.on(POSTED, fault)
    const error = await failure(write(api))
    assert.equal(error.retryability, 'transient')
    assert.equal(api.count(POSTED), 1)
  })
}

test('a server that accepts and says nothing is given up', async (t) => {
  const api = await startRawApi(t)
  api.on(POSTED, silent)
  const error = await failure(write(api, { limits: { silenceMs: 200 } }))
  assert.equal(error.code, 'GITHUB_UNREACHABLE')
  assert.match(error.message, /Headers Timeout/)
})

test('an answer that drips for ever is given up', async (t) => {
  const api = await startRawApi(t)
  api.on(POSTED, (response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const drip = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(drip))
  })
  const error = await failure(write(api, { limits: { answerMs: 300 } }))
  assert.equal(error.code, 'GITHUB_UNREACHABLE')
  assert.match(error.message, /no whole answer within 0.3 s/)
})

test('an answer larger than the limit is dropped, and not asked for again', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, json(200, { id: 'x'.repeat(5_000) }))
  const error = await failure(read(api, { limits: { answerBytes: 4_096 } }))
  assert.equal(error.code, 'GITHUB_ANSWER_TOO_LARGE')
  assert.equal(error.retryability, 'permanent')
  assert.equal(api.count(ROUTE), 1)
})

test('a server that is not there is unreachable, and said to be', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((closed) => server.close(closed))
  const octokit = await tokenClient(`http://127.0.0.1:${port}`).forRepository('acme/app')
  const error = await failure(octokit.request('GET /user'))
  assert.equal(error.code, 'GITHUB_UNREACHABLE')
  assert.match(error.message, /ECONNREFUSED/)
})

test('a signal ends a request, with its own reason', async (t) => {
  const api = await startRawApi(t)
  const controller = new AbortController()
  const reason = new Error('superseded')
  api.on(ROUTE, () => controller.abort(reason))
  const octokit = await tokenClient(api.url).forRepository('acme/app')
  const asked = octokit.request('GET /repos/{owner}/{repo}', {
    ...REPOSITORY,
    request: { signal: controller.signal },
  })
  assert.equal(await failure(asked), reason)
  assert.equal(api.count(ROUTE), 1)
})

test('the signal that a client for a repository was made with ends the next page of a list, too', async (t) => {
  const api = await startRawApi(t)
  const controller = new AbortController()
  const reason = new Error('superseded')
  const next = `<${api.url}/repos/acme/app/labels?page=2>; rel="next"`
  api.on('GET /repos/acme/app/labels', json(200, [{ id: 1 }], { link: next }))
  api.on('GET /repos/acme/app/labels?page=2', () => controller.abort(reason))
  const octokit = await tokenClient(api.url).forRepository('acme/app', controller.signal)
  assert.equal(await failure(octokit.paginate('GET /repos/{owner}/{repo}/labels', REPOSITORY)), reason)
})

test('a wait for the rate limit is ended by the signal', async (t) => {
  const api = await startRawApi(t)
  const controller = new AbortController()
  const reason = new Error('superseded')
  api.on(ROUTE, (response, request) => {
    json(429, { message: 'wait' }, { 'retry-after': 9 })(response, request)
    response.on('close', () => controller.abort(reason))
    response.on('finish', () => controller.abort(reason))
  })
  const octokit = await tokenClient(api.url).forRepository('acme/app', controller.signal)
  assert.equal(await failure(octokit.request('GET /repos/{owner}/{repo}', REPOSITORY)), reason)
})

test('a short rate limit is sat out, even by a POST: what was refused was not done', async (t) => {
  const api = await startRawApi(t)
  api.on(POSTED, json(403, { message: 'secondary' }, { 'retry-after': 1 }), json(201, { id: 5 }))
  const started = Date.now()
  assert.equal((await write(api)).data.id, 5)
  assert.ok(Date.now() - started >= 1_000)
  assert.equal(api.count(POSTED), 2)
})

for (const { name, reply, seconds } of [
  {
    name: 'nothing remains until the reset',
    reply: () =>
      json(
        403,
        { message: 'API rate limit exceeded for installation ID 1.' },
        { 'x-ratelimit-remaining': 0, 'x-ratelimit-reset': Math.ceil(Date.now() / 1000) + 600 },
      ),
    seconds: 600,
  },
  {
    name: 'the reset is by GitHub’s clock, not ours',
    reply: () =>
      json(
        429,
        { message: 'API rate limit exceeded' },
        {
          'x-ratelimit-remaining': 0,
          'x-ratelimit-reset': 2_000_000_000,
          date: new Date((2_000_000_000 - 300) * 1000).toUTCString(),
        },
      ),
    seconds: 300,
  },
  {
    name: 'a secondary limit with its header',
    reply: () => json(403, { message: 'You have exceeded a secondary rate limit.' }, { 'retry-after': 120 }),
    seconds: 120,
  },
  {
    name: 'a secondary limit without',
    reply: () =>
      json(
        403,
        { message: 'You have exceeded a secondary rate limit. Please wait a few minutes.' },
        { 'x-ratelimit-remaining': 4999, 'x-ratelimit-reset': Math.ceil(Date.now() / 1000) + 3000 },
      ),
    seconds: 60,
  },
  { name: 'a bare 429', reply: () => json(429, {}), seconds: 60 },
]) {
  test(`a rate limit names its end: ${name}`, async (t) => {
    const api = await startRawApi(t)
    api.on(ROUTE, reply())
    const error = await failure(read(api))
    assert.equal(error.code, 'GITHUB_RATE_LIMITED')
    assert.equal(error.retryability, 'transient')
    const wait = (error.retryAfterMs ?? 0) / 1000
    assert.ok(wait >= seconds - 2 && wait <= seconds * 1.1 + 5, `${wait} s`)
    assert.equal(api.count(ROUTE), 1)
  })
}

test('a missing permission is no rate limit, and is named', async (t) => {
  const api = await startRawApi(t)
  api.on(
    ROUTE,
    json(
      403,
      { message: 'Resource not accessible by integration' },
      { 'x-accepted-github-permissions': 'pull_requests=write', 'x-ratelimit-remaining': 4999 },
    ),
  )
  const error = await failure(read(api))
  assert.equal(error.code, 'GITHUB_FORBIDDEN')
  assert.equal(error.retryability, 'permanent')
  assert.match(error.help, /pull_requests: write/)
})

for (const [status, code, retryability] of [
  [401, 'GITHUB_UNAUTHORIZED', 'permanent'],
  [404, 'GITHUB_NOT_FOUND', 'permanent'],
  [409, 'GITHUB_REFUSED', 'permanent'],
  [410, 'GITHUB_REFUSED', 'permanent'],
  [422, 'GITHUB_REFUSED', 'permanent'],
  [451, 'GITHUB_REFUSED', 'permanent'],
  [503, 'GITHUB_UNAVAILABLE', 'transient'],
] as const) {
  test(`a ${status} is ${code}, with what GitHub said of it`, async (t) => {
    const api = await startRawApi(t)
    const said = { message: 'Validation Failed', errors: [{ field: 'line', code: 'invalid' }] }
    api.on(POSTED, json(status, said))
    const error = await failure(write(api))
    assert.equal(error.code, code)
    assert.equal(error.retryability, retryability)
    assert.match(
      error.message,
      /POST \/repos\/acme\/app\/issues\/1\/comments \(\d+\): Validation Failed; .*line/,
    )
    const { status: causeStatus, response } = error.cause as { status: number; response: { data: unknown } }
    assert.equal(causeStatus, status)
    assert.deepEqual(response.data, said)
  })
}

test('no error holds the token, or what was sent', async (t) => {
  const api = await startRawApi(t)
  api.on(
    POSTED,
    json(422, { message: `no good: ${TOKEN}` }),
    reset,
    json(401, { message: 'Bad credentials' }),
  )
  for (let fault = 0; fault < 3; fault++) {
    const error = await failure(write(api))
    const all = JSON.stringify([error.message, error.help, deepOf(error.cause)])
    assert.doesNotMatch(error.message + error.stack, new RegExp(TOKEN))
    assert.doesNotMatch(all, /authorization|hello/i)
  }
})

/** An error as a careless logger would print it: every property, at every depth, causes too. */
function deepOf(value: unknown): unknown {
  if (value instanceof Error) {
    const { cause, ...own } = value as Error & { response?: unknown }
    const { response: _, ...rest } = own
    return { ...rest, cause: deepOf(cause) }
  }
  return value
}

test('a repository that was renamed is followed, with method and body as they were', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, json(301, { message: 'Moved' }, { location: `${api.url}/repositories/1` }))
  api.on('GET /repositories/1', json(200, { id: 1 }))
  assert.equal((await read(api)).data.id, 1)

  api.on(POSTED, json(301, { message: 'Moved' }, { location: '/repositories/1/issues/1/comments' }))
  api.on('POST /repositories/1/issues/1/comments', json(201, { id: 5 }))
  assert.equal((await write(api)).data.id, 5)
  assert.equal(api.requests.at(-1)?.body, '{"body":"hello"}')
})

test('no other server is ever asked: not by a redirect, not by a link to the next page', async (t) => {
  const api = await startRawApi(t)
  const other = await startRawApi(t)
  api.on(ROUTE, json(302, {}, { location: `${other.url}/repos/acme/app` }))
  assert.equal((await failure(read(api))).code, 'GITHUB_REDIRECTED')

  api.on('GET /repos/acme/app/labels', json(200, [{ id: 1 }], { link: `<${other.url}/labels>; rel="next"` }))
  const octokit = await tokenClient(api.url).forRepository('acme/app')
  const listed = octokit.paginate('GET /repos/{owner}/{repo}/labels', REPOSITORY)
  assert.equal((await failure(listed)).code, 'GITHUB_REDIRECTED')
  assert.deepEqual(other.requests, [])
})

test('redirects that go round end', async (t) => {
  const api = await startRawApi(t)
  api.on(POSTED, json(307, {}, { location: '/repos/acme/app/issues/1/comments' }))
  assert.equal((await failure(write(api))).code, 'GITHUB_UNREACHABLE')
  assert.ok(api.requests.length <= 4)
})

for (const [name, errors, code, retryability] of [
  [
    'RATE_LIMITED',
    [{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }],
    'GITHUB_RATE_LIMITED',
    'transient',
  ],
  [
    'NOT_FOUND',
    [{ type: 'NOT_FOUND', message: 'Could not resolve to a node' }],
    'GITHUB_NOT_FOUND',
    'permanent',
  ],
  ['FORBIDDEN', [{ type: 'FORBIDDEN', message: 'Resource not accessible' }], 'GITHUB_FORBIDDEN', 'permanent'],
  [
    'no type',
    [{ message: 'Something went wrong while executing your query.' }],
    'GITHUB_UNAVAILABLE',
    'transient',
  ],
  ['UNPROCESSABLE', [{ type: 'UNPROCESSABLE', message: 'no' }], 'GITHUB_REFUSED', 'permanent'],
] as const) {
  test(`GraphQL answers 200 to everything; an error of ${name} is ${code} all the same`, async (t) => {
    const api = await startRawApi(t)
    api.on('POST /graphql', json(200, { data: { viewer: null }, errors }))
    const octokit = await tokenClient(api.url).forRepository('acme/app')
    const error = await failure(octokit.graphql('{ viewer { login } }'))
    assert.equal(error.code, code)
    assert.equal(error.retryability, retryability)
    const { response } = error.cause as { response: { data: unknown } }
    assert.deepEqual(response.data, { data: { viewer: null }, errors })
  })
}

test('on GitHub Enterprise Server, GraphQL lies beside the REST API', async (t) => {
  const api = await startRawApi(t)
  api.on('POST /api/graphql', json(200, { data: { viewer: { login: 'kodus' } } }))
  const octokit = await tokenClient(`${api.url}/api/v3`).forRepository('acme/app')
  assert.deepEqual(await octokit.graphql('{ viewer { login } }'), { viewer: { login: 'kodus' } })
})

test('a token and a JWT that GitHub repeats are not repeated', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, json(422, { message: 'bad: eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjF9.c2lnbmF0dXJl' }))
  assert.doesNotMatch((await failure(read(api))).message, /eyJ/)
})
