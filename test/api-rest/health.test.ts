import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { pino } from 'pino'
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
  assert.match(body.help, /See that PostgreSQL runs/)
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

test('each answer has the id under which the log has its request, whatever id the caller sent', async (t) => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const { app, url, reader } = await startApi(t, { log })
  const ids: string[] = []
  const own = 'the-id-of-the-caller'
  const authorization = `Bearer ${reader.key}`
  for (const [path, status, isLogged] of [
    ['/health', 200, true],
    ['/jobs', 200, true],
    ['/docs', 200, false],
    ['/jobs/none/events', 400, true],
    ['/nowhere', 404, true],
    ['/%', 400, false],
  ] as const) {
    const answer = await fetch(url + path, { headers: { authorization, 'x-request-id': own } })
    await answer.text()
    const id = answer.headers.get('x-request-id') ?? ''
    assert.deepEqual([path, answer.status, /^[0-9a-f-]{36}$/.test(id)], [path, status, true])
    if (isLogged) ids.push(id)
  }
  // A line is written when the answer has left: closing waits for that.
  await app.close()
  const logged = lines.filter(({ msg }) => msg === 'request').map(({ reqId }) => reqId)
  assert.deepEqual(logged, ids)
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
