import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { createApp } from '../../src/webhook-handler/app.ts'
import { listen } from '../../src/webhook-handler/listen.ts'
import { MAX_BODY_BYTES } from '../../src/webhook-handler/read-body.ts'
import { createWebhookRoute } from '../../src/webhook-handler/webhook-route.ts'
import { createDatabase } from '../support/database.ts'
import { connectRaw, requestHead } from './raw-client.ts'
import { gitBody, gitHeaders, postGit, startHandler } from './start-handler.ts'

const PATH = '/webhooks/git'
const MIB = Buffer.alloc(1024 * 1024, ' ')

test('a body announced as too large is refused before it is sent, and the connection closed', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const client = await connectRaw(t, handler.port)
  await client.send(requestHead(PATH, { ...gitHeaders(''), 'content-length': MAX_BODY_BYTES + 1 }))
  const answer = await client.closed()
  assert.match(answer, /^HTTP\/1.1 413 /)
  assert.match(answer, /\r\nconnection: close\r\n/i)
  assert.match(answer, /"code":"BODY_TOO_LARGE"/)
})

test('a chunked body is cut off once it is too large, and its sender still reads why', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const client = await connectRaw(t, handler.port)
  await client.send(requestHead(PATH, { ...gitHeaders(''), 'transfer-encoding': 'chunked' }))
  for (let sent = 0; sent <= MAX_BODY_BYTES + 8 * MIB.length; sent += MIB.length) {
    await client.send(`${MIB.length.toString(16)}\r\n`)
    await client.send(MIB)
    await client.send('\r\n')
  }
  const answer = await client.closed()
  assert.match(answer, /^HTTP\/1.1 413 .*"code":"BODY_TOO_LARGE"/s)
  assert.equal((await pool.query('select from deliveries')).rowCount, 0)
  assert.equal((await postGit(handler)).status, 202)
})

test('a chunked body of a usual size is accepted', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const client = await connectRaw(t, handler.port)
  const body = gitBody()
  await client.send(
    requestHead(PATH, { ...gitHeaders(body), 'transfer-encoding': 'chunked', connection: 'close' }),
  )
  for (const byte of Buffer.from(body)) await client.send(`1\r\n${String.fromCharCode(byte)}\r\n`)
  await client.send('0\r\n\r\n')
  assert.match(await client.closed(), /^HTTP\/1.1 202 .*"status":"PENDING"/s)
})

test('who asks before sending is told to go on, unless the headers already say no', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()
  const ask = { expect: '100-continue', 'content-length': body.length }

  const welcome = await connectRaw(t, handler.port)
  await welcome.send(requestHead(PATH, { ...gitHeaders(body), ...ask, connection: 'close' }))
  await welcome.received(/^HTTP\/1.1 100 Continue\r\n\r\n$/)
  await welcome.send(body)
  assert.match(await welcome.closed(), /\r\n\r\nHTTP\/1.1 202 /)

  const tooLarge = await connectRaw(t, handler.port)
  await tooLarge.send(
    requestHead(PATH, { ...gitHeaders(body), ...ask, 'content-length': MAX_BODY_BYTES + 1 }),
  )
  assert.match(await tooLarge.closed(), /^HTTP\/1.1 413 /)

  const unsigned = await connectRaw(t, handler.port)
  await unsigned.send(requestHead(PATH, ask))
  assert.match(await unsigned.closed(), /^HTTP\/1.1 401 /)
})

test('who asks before sending, in a row of requests, is told so before its answer and not within it', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const client = await connectRaw(t, handler.port)
  const [first, second] = [gitBody(), gitBody()]
  const length = { 'content-length': first.length }
  const unsigned = gitHeaders(second, { secret: 'guess' })
  const asking = { ...unsigned, ...length, expect: '100-continue', connection: 'close' }
  await client.send(
    requestHead(PATH, { ...gitHeaders(first), ...length }) + first + requestHead(PATH, asking) + second,
  )
  const answers = await client.closed()
  assert.match(
    answers,
    /^HTTP\/1.1 202 [^{]*\{[^}]*\}HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 401 [^{]*\{[^}]*\}$/,
  )
})

test('an upload that breaks off leaves no trace and harms nobody', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()
  const client = await connectRaw(t, handler.port)
  await client.send(
    requestHead(PATH, { ...gitHeaders(body, { id: 'aborted' }), 'content-length': body.length }),
  )
  await client.send(body.slice(0, -1))
  client.reset()

  const { code } = await handler.line(({ deliveryId }) => deliveryId === 'aborted')
  assert.equal(code, 'UPLOAD_ABORTED')
  assert.equal((await pool.query('select from deliveries')).rowCount, 0)
  assert.equal((await postGit(handler, body, { id: 'aborted' })).body.duplicate, undefined)
})

test('one connection carries many webhooks, the refused ones too', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const client = await connectRaw(t, handler.port)
  for (const secret of ['wrong', undefined, 'wrong', undefined]) {
    const body = gitBody()
    await client.send(requestHead(PATH, { ...gitHeaders(body, { secret }), 'content-length': body.length }))
    await client.send(body)
  }
  const answers = await client.received(/(?:HTTP\/1.1 .*){4}\}$/s)
  assert.deepEqual(
    answers.match(/HTTP\/1.1 \d+/g),
    [401, 202, 401, 202].map((status) => `HTTP/1.1 ${status}`),
  )
})

test('an upload that takes too long is answered 408 and closed', async (t) => {
  const webhook = createWebhookRoute({
    secrets: { git: { variable: '', valid: ['secret'] }, github: { variable: '', valid: [] } },
    makeDurable: () => assert.fail('nothing to store'),
    isAllowed: () => true,
    log: silentLog,
  })
  const app = createApp({
    webhook,
    readiness: async () => ({ database: 'up', broker: 'up' }),
    isStopping: () => false,
    identity: {},
    log: silentLog,
  })
  const server = await listen(app, { port: 0, host: '127.0.0.1', requestTimeoutMs: 200 })
  t.after(() => server.close())

  const slowBody = await connectRaw(t, server.port)
  await slowBody.send(requestHead(PATH, { ...gitHeaders(''), 'content-length': 100 }))
  await slowBody.send('{')
  assert.match(await slowBody.closed(), /^HTTP\/1.1 408 /)

  const slowHead = await connectRaw(t, server.port)
  await slowHead.send('POST /webhooks/git HTTP/1.1\r\nHost:')
  assert.match(await slowHead.closed(), /^HTTP\/1.1 408 /)
})

test('SIGTERM: what has begun is answered, idle connections do not delay the end', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()
  const idle = await connectRaw(t, handler.port)
  await idle.send(`GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`)
  await idle.received(/"ok"/)
  const begun = await connectRaw(t, handler.port)
  const expect = { expect: '100-continue', 'content-length': body.length }
  await begun.send(requestHead(PATH, { ...gitHeaders(body), ...expect }))
  await begun.received(/100 Continue/)

  const exited = handler.stop()
  await handler.line(({ msg }) => msg === 'stopping: SIGTERM')
  await idle.closed()
  await assert.rejects(fetch(`${handler.url}/health`))
  await begun.send(body)

  const answer = await begun.closed()
  assert.match(answer, /HTTP\/1.1 202 /)
  assert.match(answer, /\r\nconnection: close\r\n/i)
  assert.deepEqual(await exited, { code: 0, signal: null })
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 1)
})
