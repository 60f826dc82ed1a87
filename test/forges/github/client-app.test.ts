import assert from 'node:assert/strict'
import { verify } from 'node:crypto'
import { test } from 'node:test'
import type { KodusError } from '../../../src/lib/errors.ts'
import { appClient, PUBLIC_KEY, TOKEN, tokenClient } from './client-options.ts'
import { json, type RawApi, type RawRequest, type Reply, startRawApi } from './raw-api.ts'

const BAD = json(401, { message: 'Bad credentials' })
const TOKENS = 'POST /app/installations/42/access_tokens'
const REPOSITORY = { owner: 'acme', repo: 'app' }

function token(value: string, lifetimeMs = 3_600_000): Reply {
  const expiresAt = new Date(Date.now() + lifetimeMs).toISOString()
  return json(201, { token: value, expires_at: expiresAt, permissions: { contents: 'read' } })
}

/** An App that is installed on acme/app, and whose installation's tokens are numbered. */
async function startApi(t: Parameters<typeof startRawApi>[0]): Promise<RawApi> {
  const api = await startRawApi(t)
  api.on('GET /repos/acme/app/installation', json(200, { id: 42 }))
  api.on(TOKENS, token('ghs_1'), token('ghs_2'), token('ghs_3'))
  api.on('GET /repos/acme/app', json(200, { id: 1 }))
  return api
}

async function read(client: ReturnType<typeof appClient>) {
  const octokit = await client.forRepository('acme/app')
  return await octokit.request('GET /repos/{owner}/{repo}', REPOSITORY)
}

const code = (expected: string) => (error: KodusError) => error.code === expected

/** What a JWT claims, its signature checked. */
function claimsOf({ headers }: RawRequest): { iat: number; exp: number; iss: number } {
  const [, jwt = ''] = /^bearer (\S+)$/.exec(headers.authorization ?? '') ?? []
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const signed = Buffer.from(`${header}.${payload}`)
  assert.ok(verify('sha256', signed, PUBLIC_KEY, Buffer.from(signature, 'base64url')))
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).alg, 'RS256')
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

test('an App proves itself, finds its installation and works with its token; both are kept', async (t) => {
  const api = await startApi(t)
  const client = appClient(api.url)
  await Promise.all([read(client), read(client)])
  await read(client)
  assert.equal(api.count(TOKENS), 1)
  assert.ok(api.count('GET /repos/acme/app/installation') <= 2)
  const { iat, exp, iss } = claimsOf(api.requests[0] as RawRequest)
  const now = Date.now() / 1000
  assert.equal(iss, 7)
  assert.ok(iat <= now - 30 && exp > now + 60 && exp - iat <= 600)
  assert.equal(api.requests.at(-1)?.headers.authorization, 'token ghs_1')
})

test('a repository that the App is not installed for is told so, and asked about again next time', async (t) => {
  const api = await startApi(t)
  api.on('GET /repos/acme/app/installation', json(404, { message: 'Not Found' }), json(200, { id: 42 }))
  const client = appClient(api.url)
  await assert.rejects(read(client), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_NOT_INSTALLED')
    assert.equal(error.retryability, 'permanent')
    assert.match(error.message, /acme\/app/)
    return true
  })
  assert.equal((await read(client)).data.id, 1)
})

test('an App that was installed anew, under another id, is found after one failure', async (t) => {
  const api = await startApi(t)
  const client = appClient(api.url)
  api.on('GET /repos/acme/app/installation', json(200, { id: 41 }), json(200, { id: 42 }))
  await assert.rejects(read(client), code('GITHUB_NOT_INSTALLED'))
  assert.equal((await read(client)).data.id, 1)
})

test('a suspended installation is told so', async (t) => {
  const api = await startApi(t)
  api.on(TOKENS, json(403, { message: 'This installation has been suspended' }))
  await assert.rejects(read(appClient(api.url)), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_FORBIDDEN')
    assert.match(error.help, /suspended/)
    return true
  })
})

test('a token that was revoked is dropped, and the request made once more with a new one', async (t) => {
  const api = await startApi(t)
  const client = appClient(api.url)
  await read(client)
  const unless: Reply = (response, request) => {
    const reply = request.headers.authorization === 'token ghs_1' ? BAD : json(200, { id: 2 })
    reply(response, request)
  }
  api.on('GET /repos/acme/app', unless)
  const answers = await Promise.all([read(client), read(client), read(client)])
  assert.deepEqual(
    answers.map(({ data }) => data.id),
    [2, 2, 2],
  )
  assert.equal(api.count(TOKENS), 2)
})

test('a token that GitHub does not take although it is new is for later, not for ever', async (t) => {
  const api = await startApi(t)
  api.on('GET /repos/acme/app', BAD)
  await assert.rejects(read(appClient(api.url)), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_UNAUTHORIZED')
    assert.equal(error.retryability, 'transient')
    return true
  })
  assert.equal(api.count('GET /repos/acme/app'), 2)
})

test('a key that is not of this App is a mistake to mend, not to repeat', async (t) => {
  const api = await startApi(t)
  const lookUp = 'GET /repos/acme/app/installation'
  api.on(lookUp, json(401, { message: 'A JSON web token could not be decoded' }))
  await assert.rejects(read(appClient(api.url)), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_UNAUTHORIZED')
    assert.equal(error.retryability, 'permanent')
    assert.match(error.help, /GITHUB_APP_ID/)
    return true
  })
  assert.equal(api.count(lookUp), 1)
})

for (const minutes of [-20, 20]) {
  test(`a clock that is ${Math.abs(minutes)} minutes ${minutes < 0 ? 'behind' : 'ahead'} is seen through`, async (t) => {
    const api = await startApi(t)
    const serverNow = () => Date.now() - minutes * 60_000
    const date = () => ({ date: new Date(serverNow()).toUTCString() })
    // As GitHub checks it: not issued in the future, not expired, not valid for too long.
    const byTheClock =
      (reply: Reply): Reply =>
      (response, request) => {
        const { iat, exp } = claimsOf(request)
        const now = serverNow() / 1000
        const fits = iat <= now && exp > now && exp <= now + 600
        if (fits) reply(response, request)
        else
          json(
            401,
            { message: "'Expiration time' claim ('exp') is too far in the future" },
            date(),
          )(response, request)
      }
    api.on('GET /repos/acme/app/installation', byTheClock(json(200, { id: 42 })))
    api.on(TOKENS, byTheClock(token('ghs_1')))
    const client = appClient(api.url)
    const answers = await Promise.all([read(client), read(client)])
    assert.deepEqual(
      answers.map(({ data }) => data.id),
      [1, 1],
    )
  })
}

test('git is given a token that reads this one repository, and that outlives a fetch', async (t) => {
  const api = await startApi(t)
  api.on(TOKENS, token('ghs_old', 5 * 60_000), token('ghs_new'))
  const client = appClient(api.url)
  assert.equal(await client.gitToken('acme/app'), 'ghs_new')
  const [asked] = api.requests.filter(({ method }) => method === 'POST')
  assert.deepEqual(JSON.parse(asked?.body ?? ''), {
    repositories: ['app'],
    permissions: { contents: 'read' },
  })
  // The token that may write is another.
  await read(client)
  assert.deepEqual(JSON.parse(api.requests.findLast(({ method }) => method === 'POST')?.body || '{}'), {})
})

test('a renamed repository, to which no token can be narrowed by its old name, is read with a wider one', async (t) => {
  const api = await startApi(t)
  const message = 'There is at least one repository that does not exist or is not accessible'
  api.on(TOKENS, json(422, { message }), token('ghs_wide'))
  assert.equal(await appClient(api.url).gitToken('acme/app'), 'ghs_wide')
})

test('an App that may not read code is told which permission it lacks', async (t) => {
  const api = await startApi(t)
  const message = 'The permissions requested are not granted to this installation.'
  api.on(TOKENS, json(422, { message }))
  await assert.rejects(appClient(api.url).gitToken('acme/app'), (error: KodusError) => {
    assert.equal(error.code, 'GITHUB_FORBIDDEN')
    assert.match(error.help, /contents: read/)
    return true
  })
})

test('with a token, git is given that', async () => {
  assert.equal(await tokenClient('http://127.0.0.1').gitToken('acme/app'), TOKEN)
})

test('an App posts as its bot, whose user id is asked once', async (t) => {
  const api = await startApi(t)
  api.on('GET /app', json(200, { id: 7, slug: 'kodus' }))
  api.on(
    'GET /users/kodus%5Bbot%5D',
    json(500, {}),
    json(500, {}),
    json(200, { login: 'kodus[bot]', id: 99 }),
  )
  const client = appClient(api.url)
  await assert.rejects(client.identity('acme/app'), code('GITHUB_UNAVAILABLE'))
  const expected = { login: 'kodus[bot]', id: 99, appId: 7 }
  assert.deepEqual(await client.identity('acme/app'), expected)
  assert.deepEqual(await client.identity('acme/app'), expected)
  assert.equal(api.count('GET /users/kodus%5Bbot%5D'), 3)
  assert.match(
    api.requests.find(({ path }) => path.startsWith('/users/'))?.headers.authorization ?? '',
    /^token ghs_/,
  )
})

test('a token posts as its user', async (t) => {
  const api = await startRawApi(t)
  api.on('GET /user', json(200, { login: 'robot', id: 3 }))
  const client = tokenClient(api.url)
  assert.deepEqual(await client.identity('acme/app'), { login: 'robot', id: 3, appId: null })
  assert.equal(client.asApp(), undefined)
})

test('what is no name of a repository never becomes a URL', async (t) => {
  const api = await startApi(t)
  for (const repository of [
    'acme',
    'acme/..',
    '../app',
    'acme/app/pulls',
    'acme/a?b',
    '/app',
    'acme/',
    'a b/c',
  ]) {
    await assert.rejects(appClient(api.url).forRepository(repository), code('GITHUB_REPOSITORY_INVALID'))
  }
  assert.deepEqual(api.requests, [])
})
