import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { type TestContext, test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { connectRaw, requestHead } from './raw-client.ts'
import { gitBody, gitHeaders, type Handler, postGit, startHandler } from './start-handler.ts'

const MIB = 1024 * 1024

/** Some 100 MiB are the process itself. It was 320 at its peak, and 510 while those that waited kept their bodies. */
const MEMORY_LIMIT = 420 * MIB

const skip = process.platform !== 'linux' && 'how much memory a process has is read from /proc'

test('with a frozen database and thousands of webhooks at once, memory stays bounded and nothing but 503 is said', {
  skip,
}, async (t) => {
  const { url, pool } = await createDatabase(t)
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  const handler = await startHandler(t, { DATABASE_URL: proxy.through(url) })
  assert.equal((await postGit(handler)).status, 202)
  const memory = watchMemory(t, handler.pid)

  proxy.blackhole()
  const agent = new Agent({ keepAlive: true, maxSockets: 2_000 })
  t.after(() => agent.destroy())
  const padding = 'x'.repeat(100_000)
  const statuses = await Promise.all(Array.from({ length: 4_000 }, () => post(agent, handler, padding)))
  proxy.restore()

  const answers = statuses.filter((status) => status !== undefined)
  assert.deepEqual([...new Set(answers)], [503])
  assert.ok(answers.length > 3_500, `${answers.length} of 4,000 had their answer`)
  assert.ok(memory.peak() < MEMORY_LIMIT, `${Math.round(memory.peak() / MIB)} MiB`)
  for (;;) if ((await postGit(handler)).status === 202) break
  const { rows } = await pool.query(`select count(*)::int as jobs from workflow_jobs`)
  assert.ok(rows[0].jobs >= 2)
})

test('uploads that never end take no more memory than is set aside for them', { skip }, async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  assert.equal((await postGit(handler)).status, 202)
  const memory = watchMemory(t, handler.pid)

  const chunk = Buffer.alloc(MIB, ' ')
  const clients = await Promise.all(Array.from({ length: 100 }, () => connectRaw(t, handler.port)))
  const answers = clients.map(async (client) => {
    const upload = { ...gitHeaders(''), 'content-length': 20 * MIB }
    try {
      await client.send(requestHead('/webhooks/git', upload))
      for (let sent = 0; sent < 5; sent++) await client.send(chunk)
    } catch {
      // Sent away and cut off before it was done: it may have missed the answer.
    }
    return client
  })
  const refused = await Promise.race((await Promise.all(answers)).map((client) => client.closed()))
  assert.match(refused, /^HTTP\/1.1 503 .*\r\nretry-after: \d.*"code":"HANDLER_BUSY"/is)
  assert.ok(memory.peak() < MEMORY_LIMIT, `${Math.round(memory.peak() / MIB)} MiB`)
  for (const client of clients) client.reset()
  await handler.line(({ code }) => code === 'UPLOAD_ABORTED')
  for (;;) if ((await postGit(handler)).status === 202) break
})

test('connections beyond those that are served are told to come back later, and the others are served', async (t) => {
  const { url } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const body = gitBody()
  const webhook = requestHead('/webhooks/git', { ...gitHeaders(body), 'content-length': body.length }) + body
  const first = await connectRaw(t, handler.port)
  const idle = []
  while (idle.length < 4_095) {
    idle.push(...(await Promise.all(Array.from({ length: 315 }, () => connectRaw(t, handler.port)))))
  }
  const surplus = await connectRaw(t, handler.port)
  await surplus.send(webhook)
  assert.match(await surplus.closed(), /^HTTP\/1.1 503 .*\r\nretry-after: \d.*"code":"HANDLER_BUSY"/is)
  await first.send(webhook)
  assert.match(await first.received(/"status"/), /^HTTP\/1.1 202 /)

  for (const client of idle) client.reset()
  for (;;) if ((await postGit(handler)).status === 202) break
})

/** The largest part of a process that was in memory. */
function watchMemory(t: TestContext, pid: number): { peak(): number } {
  let peak = 0
  const look = () => {
    const file = `/proc/${pid}/statm`
    const [, pages = '0'] = existsSync(file) ? readFileSync(file, 'utf8').split(' ') : []
    peak = Math.max(peak, Number(pages) * 4096)
  }
  const timer = setInterval(look, 50)
  t.after(() => clearInterval(timer))
  return {
    peak: () => {
      look()
      return peak
    },
  }
}

/** @returns undefined for one that was sent away while it was still sending, and missed the answer */
function post(agent: Agent, handler: Handler, padding: string): Promise<number | undefined> {
  const body = gitBody({ padding })
  const headers = { ...gitHeaders(body), 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    request(`${handler.url}/webhooks/git`, { agent, method: 'POST', headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
      .on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(undefined)
        else reject(error)
      })
      .end(body)
  })
}
