import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startApi, unreachableDatabase } from './start-api.ts'

test('health says which installation answers, and asks the database nothing', async (t) => {
  const query = () => assert.fail('health asked the database')
  const { request } = await startApi(t, { db: { query } })
  const { status, body } = await request('GET', '/health', {})
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ok', component: 'api-rest', version: '1.2.3', instance: 'test' })
})

test('ready while the database answers', async (t) => {
  const { request } = await startApi(t)
  const { status, body } = await request('GET', '/ready', {})
  assert.equal(status, 200)
  assert.deepEqual(body, { status: 'ready' })
})

test('not ready while the database refuses connections', async (t) => {
  const { request } = await startApi(t, { db: unreachableDatabase(t) })
  const { status, headers, body } = await request('GET', '/ready', {})
  assert.equal(status, 503)
  assert.equal(body.code, 'DATABASE_UNAVAILABLE')
  assert.match(headers.get('retry-after') ?? '', /^\d+$/)
})

test('not ready, and says so, while the database is silent', async (t) => {
  const { request } = await startApi(t, { db: { query: () => new Promise(() => {}) } })
  assert.equal((await request('GET', '/ready', {})).status, 503)
})

test('not ready until the schema is there', async (t) => {
  const { request, pool } = await startApi(t)
  await pool.query('drop table workflow_jobs cascade')
  assert.equal((await request('GET', '/ready', {})).status, 503)
})

test('what cannot be read as HTTP is refused like everything else', async (t) => {
  const { url } = await startApi(t)
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.end('this is not HTTP\r\n\r\n')
  const answer = (await socket.toArray()).join('')
  assert.match(answer, /^HTTP\/1\.1 400 /)
  assert.match(answer, /content-type: application\/problem\+json/)
  assert.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').code, 'REQUEST_INVALID')
})
