import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { revokeApiKey } from '../../src/store/revoke-api-key.ts'
import { createJob, startApi, unreachableDatabase } from './start-api.ts'

const READS = ['/jobs', '/jobs/ID', '/jobs/ID/events']
const WRITES = ['/jobs/ID/cancel', '/jobs/ID/replay']

test('every route of jobs needs a key of the right scope', async (t) => {
  const { request, pool, reader, writer } = await startApi(t)
  const jobId = await createJob(pool)
  const writeOnly = await createApiKey(pool, { name: 'write only', scopes: ['write'] })
  const unknown = 'kodus_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

  const rows: { authorization?: string; read: number; write: number | 'allowed' }[] = [
    { read: 401, write: 401 },
    { authorization: '', read: 401, write: 401 },
    { authorization: 'Bearer', read: 401, write: 401 },
    { authorization: `Bearer ${unknown}`, read: 401, write: 401 },
    { authorization: `Basic ${Buffer.from(`x:${reader.key}`).toString('base64')}`, read: 401, write: 401 },
    { authorization: reader.key, read: 401, write: 401 },
    { authorization: `Bearer ${reader.key} ${reader.key}`, read: 401, write: 401 },
    { authorization: `Bearer ${reader.key}`, read: 200, write: 403 },
    { authorization: `bearer  ${reader.key}`, read: 200, write: 403 },
    { authorization: `Bearer ${writeOnly.key}`, read: 403, write: 'allowed' },
    { authorization: `Bearer ${writer.key}`, read: 200, write: 'allowed' },
  ]
  for (const { authorization, read, write } of rows) {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
    for (const path of READS) {
      const { status } = await request('GET', path.replace('ID', jobId), headers)
      assert.equal(status, read, `GET ${path} with ${authorization}`)
    }
    for (const path of WRITES) {
      const { status } = await request('POST', path.replace('ID', jobId), headers)
      const seen = status === 401 || status === 403 ? status : 'allowed'
      assert.equal(seen, write, `POST ${path} with ${authorization}`)
    }
  }
})

test('a refusal challenges as RFC 6750 has it, and quotes no key', async (t) => {
  const { request, reader } = await startApi(t)
  const missing = await request('GET', '/jobs', {})
  assert.equal(missing.headers.get('www-authenticate'), 'Bearer')
  assert.equal(missing.body.code, 'API_KEY_MISSING')

  const wrong = await request('GET', '/jobs', { authorization: 'Bearer kodus_nobody-has-this' })
  assert.equal(wrong.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  assert.doesNotMatch(JSON.stringify(wrong.body), /nobody-has-this/)

  const weak = await request('POST', '/jobs/x/cancel', { authorization: `Bearer ${reader.key}` })
  assert.equal(weak.headers.get('www-authenticate'), 'Bearer error="insufficient_scope", scope="write"')
})

test('a revoked key is refused at once', async (t) => {
  const { get, pool, reader } = await startApi(t)
  assert.equal((await get('/jobs')).status, 200)
  assert.equal(await revokeApiKey(pool, reader.id), true)
  assert.equal((await get('/jobs')).status, 401)
})

test('while the database is away, a key is neither right nor wrong', async (t) => {
  const { get, post } = await startApi(t, { db: unreachableDatabase(t) })
  for (const { status, headers, body } of [
    await get('/jobs'),
    await get('/jobs/x'),
    await post('/jobs/x/cancel'),
  ]) {
    assert.equal(status, 503)
    assert.match(headers.get('retry-after') ?? '', /^\d+$/)
    assert.doesNotMatch(JSON.stringify(body), /127\.0\.0\.1|ECONNREFUSED|secret-password/)
  }
})

test('a defect answers 500 without SQL or stack, and is in the log', async (t) => {
  const lines: string[] = []
  const log = pino({}, { write: (line) => void lines.push(line) })
  const { get, pool } = await startApi(t, { log })
  await pool.query('alter table workflow_jobs rename column stage to phase')
  const { status, body } = await get('/jobs')
  assert.equal(status, 500)
  assert.deepEqual([body.code, body.detail.includes('stage')], ['UNEXPECTED', false])
  assert.doesNotMatch(JSON.stringify(body), /select|column|\.ts/)
  assert.ok(lines.some((line) => line.includes('column j.stage does not exist')))
})

test('a log line names the key that called, and never the key itself', async (t) => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line) => void lines.push(line) })
  const { get, post, pool, reader, writer } = await startApi(t, { log })
  const jobId = await createJob(pool)
  await get(`/jobs/${jobId}`)
  await post(`/jobs/${jobId}/cancel`)
  await get('/jobs', { authorization: 'Bearer kodus_nobody-has-this' })

  const requests = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')
  assert.deepEqual(
    requests.map(({ method, route, status, jobId, caller }) => ({ method, route, status, jobId, caller })),
    [
      { method: 'GET', route: '/jobs/:id', status: 200, jobId, caller: 'reader' },
      { method: 'POST', route: '/jobs/:id/cancel', status: 200, jobId, caller: 'writer' },
      { method: 'GET', route: '/jobs', status: 401, jobId: undefined, caller: undefined },
    ],
  )
  for (const secret of [reader.key, writer.key, 'nobody-has-this'])
    assert.ok(!lines.join('').includes(secret))
})
