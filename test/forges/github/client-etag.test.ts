import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEtagCache } from '../../../src/forges/github/etag-cache.ts'
import { appClient, tokenClient } from './client-options.ts'
import { empty, json, type RawApi, type Reply, startRawApi } from './raw-api.ts'

const ROUTE = 'GET /repos/acme/app'
const REPOSITORY = { owner: 'acme', repo: 'app' }

/** As GitHub: 304 without a body for whoever has the answer already. */
function tagged(etag: string, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response, request) => {
    const reply =
      request.headers['if-none-match'] === etag
        ? empty(304, { etag, ...headers })
        : json(200, body, { etag, ...headers })
    reply(response, request)
  }
}

test('what did not change is not sent again, and is given as it was', async (t) => {
  const api = await startRawApi(t)
  const link = '<https://example.com/?page=2>; rel="next"'
  api.on(ROUTE, tagged('W/"a"', { id: 1 }, { link, 'x-ratelimit-remaining': '7' }))
  const octokit = await tokenClient(api.url).forRepository('acme/app')
  const first = await octokit.request('GET /repos/{owner}/{repo}', REPOSITORY)
  // What a caller does with an answer is its own business.
  Object.assign(first.data, { id: 'spoiled' })
  const second = await octokit.request('GET /repos/{owner}/{repo}', REPOSITORY)
  assert.equal(second.status, 200)
  assert.deepEqual(second.data, { id: 1 })
  assert.equal(second.headers.link, link)
  assert.equal(second.headers['x-ratelimit-remaining'], '7')
  assert.equal(api.requests[1]?.headers['if-none-match'], 'W/"a"')
})

test('what changed is given anew, and kept in its place', async (t) => {
  const api = await startRawApi(t)
  api.on(ROUTE, tagged('"a"', { id: 1 }), tagged('"b"', { id: 2 }))
  const octokit = await tokenClient(api.url).forRepository('acme/app')
  const ids = []
  for (let time = 0; time < 3; time++) {
    ids.push((await octokit.request('GET /repos/{owner}/{repo}', REPOSITORY)).data.id)
  }
  assert.deepEqual(ids, [1, 2, 2])
  assert.equal(api.requests[2]?.headers['if-none-match'], '"b"')
})

test('another representation is another answer', async (t) => {
  const api = await startRawApi(t)
  api.on('GET /repos/acme/app/pulls/1', tagged('"a"', { id: 1 }), (response) => {
    response
      .writeHead(200, { 'content-type': 'application/vnd.github.diff; charset=utf-8' })
      .end('diff --git')
  })
  const octokit = await tokenClient(api.url).forRepository('acme/app')
  const pull = { ...REPOSITORY, pull_number: 1 }
  await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', pull)
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
    ...pull,
    mediaType: { format: 'diff' },
  })
  assert.equal(data as unknown, 'diff --git')
  assert.equal(api.requests[1]?.headers['if-none-match'], undefined)
})

test('one installation is never given what was kept for another', async (t) => {
  const api = await startRawApi(t)
  for (const [owner, id] of Object.entries({ acme: 1, umbrella: 2 })) {
    api.on(`GET /repos/${owner}/app/installation`, json(200, { id }))
    api.on(`POST /app/installations/${id}/access_tokens`, installationToken(`ghs_${owner}`))
  }
  api.on('GET /rate_limit', tagged('"same"', { whose: 'acme' }), tagged('"same"', { whose: 'umbrella' }))
  const client = appClient(api.url)
  const whose = async (repository: string) =>
    (await (await client.forRepository(repository)).request('GET /rate_limit')).data as unknown
  assert.deepEqual(await whose('acme/app'), { whose: 'acme' })
  assert.deepEqual(await whose('umbrella/app'), { whose: 'umbrella' })
  assert.equal(conditions(api, 'GET /rate_limit'), 0)
})

function conditions(api: RawApi, route: string): number {
  return api.requests.filter(
    ({ method, path, headers }) => `${method} ${path}` === route && headers['if-none-match'],
  ).length
}

function installationToken(token: string): Reply {
  return json(201, { token, expires_at: new Date(Date.now() + 3_600_000).toISOString(), permissions: {} })
}

test('the cache is bounded in entries and in bytes, and drops what was unused for longest', () => {
  const headers = new Headers()
  const answer = (bytes: number) => ({ etag: '"a"', headers, body: Buffer.alloc(bytes) })

  const few = createEtagCache({ maxEntries: 2 })
  few.set('a', answer(1))
  few.set('b', answer(1))
  few.get('a')
  few.set('c', answer(1))
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => few.get(key) !== undefined),
    [true, false, true],
  )

  const small = createEtagCache({ maxBytes: 1_000_000 })
  for (let key = 0; key < 100; key++) small.set(String(key), answer(100_000))
  const kept = Array.from({ length: 100 }, (_, key) => key).filter((key) => small.get(String(key)))
  assert.deepEqual(kept, [91, 92, 93, 94, 95, 96, 97, 98, 99])
  small.set('99', answer(10))
  small.set('too large', answer(500_000))
  assert.equal(small.get('too large'), undefined)
  assert.equal(small.get('91')?.body.length, 100_000)
})
