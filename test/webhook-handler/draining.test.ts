import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createDatabase } from '../support/database.ts'
import { connectRaw, requestHead } from './raw-client.ts'
import { get, gitBody, gitHeaders, type Handler, startHandler } from './start-handler.ts'

const CLIENTS = 16

test('a handler that is stopped under load fails nobody who goes by /ready', async (t) => {
  const { url, pool } = await createDatabase(t)
  const env = { DATABASE_URL: url, WEBHOOK_DRAIN_SECONDS: '4' }
  const [old, next] = await Promise.all([startHandler(t, env), startHandler(t, env)])
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS })
  t.after(() => agent.destroy())

  const sent = { old: 0, next: 0, whileStopping: 0 }
  // A load balancer: it asks every now and then whether a handler is ready, and sends to one that was for a while longer.
  let target: Handler = old
  const balancing = (async () => {
    while ((await get(`${old.url}/ready`)).status === 200) await setImmediate()
    while (sent.whileStopping < CLIENTS) await setImmediate()
    target = next
  })()

  let stopping = false
  const client = async () => {
    while (sent.next < 300) {
      const handler = target
      const about = stopping && handler === old
      const { status, connection } = await post(agent, handler)
      assert.equal(status, 202)
      if (about) {
        sent.whileStopping += 1
        assert.equal(connection, 'close')
      }
      sent[handler === old ? 'old' : 'next'] += 1
    }
  }
  const clients = Array.from({ length: CLIENTS }, client)
  while (sent.old < 300) await get(`${old.url}/health`)
  const stopped = old.stop()
  await old.line(({ msg }) => msg === 'stopping: SIGTERM')
  stopping = true
  await Promise.all(clients)
  await balancing

  assert.deepEqual(await stopped, { code: 0, signal: null })
  assert.ok(sent.whileStopping > 0, 'it went on accepting for a while')
  const { rows } = await pool.query('select count(*)::int as jobs from workflow_jobs')
  assert.equal(rows[0].jobs, sent.old + sent.next)
})

test('asked to stop, it is not ready at once, and takes new connections until the drain is over', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url, WEBHOOK_DRAIN_SECONDS: '3' })
  const exited = handler.stop()
  await handler.line(({ msg }) => msg === 'stopping: SIGTERM')

  const ready = await get(`${handler.url}/ready`)
  assert.deepEqual([ready.status, ready.body.code], [503, 'NOT_READY'])
  const body = gitBody()
  const client = await connectRaw(t, handler.port)
  await client.send(requestHead('/webhooks/git', { ...gitHeaders(body), 'content-length': body.length }))
  await client.send(body)
  assert.match(await client.closed(), /^HTTP\/1.1 202 .*\r\nconnection: close\r\n/is)

  assert.deepEqual(await exited, { code: 0, signal: null })
  await assert.rejects(fetch(`${handler.url}/health`))
  assert.equal((await pool.query('select from workflow_jobs')).rowCount, 1)
})

function post(agent: Agent, handler: Handler): Promise<{ status: number; connection: string | undefined }> {
  const body = gitBody()
  return new Promise((resolve, reject) => {
    const sending = request(
      `${handler.url}/webhooks/git`,
      {
        agent,
        method: 'POST',
        headers: { ...gitHeaders(body), 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const { statusCode = 0, headers } = response
        response.resume().on('end', () => resolve({ status: statusCode, connection: headers.connection }))
      },
    )
    sending.on('error', reject).end(body)
  })
}
