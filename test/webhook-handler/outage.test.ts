import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import { createDatabase } from '../support/database.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { connectRaw, requestHead } from './raw-client.ts'
import { readQueue } from './read-queue.ts'
import { type Answered, get, gitBody, gitHeaders, postGit, startHandler } from './start-handler.ts'

/** The promise is 3 s; a test on a busy machine is given more, and GitHub gives up after 10. */
const ANSWERED_WITHIN_MS = 9_000

/** A port on which nothing listens. */
const NOWHERE = '127.0.0.1:1'

async function databaseBehindProxy(t: TestContext) {
  const { url, pool } = await createDatabase(t)
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  return { url: proxy.through(url), pool, proxy }
}

function assertSentAway({ status, body, headers }: Answered) {
  assert.deepEqual([status, body.code], [503, 'STORES_UNAVAILABLE'])
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
}

async function timed<T>(work: Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work
  const took = performance.now() - began
  assert.ok(took < ANSWERED_WITHIN_MS, `it took ${took} ms`)
  return result
}

/** Every way for PostgreSQL to be away that a network has. */
const AWAY: [string, (proxy: TcpProxy) => void][] = [
  ['refuses connections', (proxy) => proxy.cut()],
  ['swallows packets', (proxy) => proxy.blackhole()],
]

for (const [how, fail] of AWAY) {
  test(`without a broker, a PostgreSQL that ${how} is 503 with Retry-After, and works again after`, async (t) => {
    const { url, pool, proxy } = await databaseBehindProxy(t)
    const handler = await startHandler(t, { DATABASE_URL: url })
    const body = gitBody()
    const id = randomUUID()
    assert.equal((await postGit(handler)).status, 202)

    fail(proxy)
    assertSentAway(await timed(postGit(handler, body, { id })))

    proxy.restore()
    assert.equal((await postGit(handler, body, { id })).body.jobId, jobIdOf('git', id))
    assert.equal((await pool.query('select from workflow_jobs')).rowCount, 2)
  })

  test(`a PostgreSQL that ${how} costs no webhook while RabbitMQ is up: it is on the intake queue, whole`, {
    skip: skipWithoutRabbitmq,
  }, async (t) => {
    const { url, pool, proxy } = await databaseBehindProxy(t)
    const rabbitmq = await createVhost()
    const handler = await startHandler(t, { DATABASE_URL: url, RABBITMQ_URL: rabbitmq })
    const first = await postGit(handler)
    assert.equal(first.status, 202)

    fail(proxy)
    const ids = Array.from({ length: 20 }, () => randomUUID())
    const body = gitBody({ title: 'While the database is away' })
    const answers = await timed(
      Promise.all(ids.map((id, n) => postGit(handler, n === 0 ? body : gitBody(), { id }))),
    )
    for (const [n, { status, body }] of answers.entries()) {
      assert.deepEqual([status, body], [202, { jobId: jobIdOf('git', ids[n] ?? ''), status: 'PENDING' }])
    }
    const queued = await readQueue(rabbitmq)
    assert.deepEqual(queued.map(({ deliveryId }) => deliveryId).sort(), [...ids].sort())
    const whole = queued.find(({ deliveryId }) => deliveryId === ids[0])
    assert.equal(whole.request.title, 'While the database is away')
    assert.match(whole.digest, /^[0-9a-f]{64}$/)

    proxy.restore()
    const reachesDatabase = async () => {
      const { jobId } = (await postGit(handler)).body
      return (await pool.query('select from workflow_jobs where id = $1', [jobId])).rowCount === 1
    }
    await until(reachesDatabase, (reached) => reached)
  })
}

test('with both stores away the answer is 503 with Retry-After, and /ready says which', async (t) => {
  const { url, proxy } = await databaseBehindProxy(t)
  const handler = await startHandler(t, { DATABASE_URL: url, RABBITMQ_URL: `amqp://guest:guest@${NOWHERE}` })
  assert.equal((await postGit(handler)).status, 202)
  const up = await until(
    () => get(`${handler.url}/ready`),
    ({ status }) => status === 200,
  )
  assert.deepEqual(up.body, { status: 'ready', database: 'up', broker: 'down' })

  proxy.cut()
  for (let n = 0; n < 3; n += 1) assertSentAway(await timed(postGit(handler)))
  const down = await until(
    () => get(`${handler.url}/ready`),
    ({ status }) => status === 503,
  )
  assert.deepEqual([down.body.code, down.body.database, down.body.broker], ['NOT_READY', 'down', 'down'])
  assert.equal((await get(`${handler.url}/health`)).status, 200)
})

test('a handler whose database has never been there starts, and answers 503', async (t) => {
  const handler = await startHandler(t, { DATABASE_URL: `postgresql://me:pass@${NOWHERE}/kodus` })
  assertSentAway(await timed(postGit(handler)))
  const { because } = await handler.line(({ code }) => code === 'STORES_UNAVAILABLE')
  assert.match(String(because), /PostgreSQL did not commit within \d+ ms: connect ECONNREFUSED/)
  assert.equal((await get(`${handler.url}/ready`)).status, 503)
  assert.deepEqual(await handler.stop(), { code: 0, signal: null })
  assert.ok(!JSON.stringify(handler.lines).includes('pass@'))
})

test('a handler stops in an orderly way while its database swallows packets', async (t) => {
  const { url, proxy } = await databaseBehindProxy(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  assert.equal((await postGit(handler)).status, 202)
  proxy.blackhole()
  const body = gitBody()
  const client = await connectRaw(t, handler.port)
  const expect = { expect: '100-continue', 'content-length': body.length }
  await client.send(requestHead('/webhooks/git', { ...gitHeaders(body), ...expect }))
  await client.received(/100 Continue/)
  await client.send(body)
  assert.deepEqual(await timed(handler.stop()), { code: 0, signal: null })
  assert.match(await client.closed(), /HTTP\/1.1 503 .*"code":"STORES_UNAVAILABLE"/s)
})

test('with RabbitMQ up, every job is published once its row is committed', {
  skip: skipWithoutRabbitmq,
}, async (t) => {
  const { url } = await createDatabase(t)
  const rabbitmq = await createVhost()
  const handler = await startHandler(t, { DATABASE_URL: url, RABBITMQ_URL: rabbitmq })
  await until(
    () => get(`${handler.url}/ready`),
    ({ body }) => body.broker === 'up',
  )
  const { jobId } = (await postGit(handler)).body
  const published = await readQueue(rabbitmq, 'workflow.jobs.queue', 1)
  assert.deepEqual(published, [{ jobId, type: 'code-review', version: 1 }])
})

async function until<T>(attempt: () => Promise<T>, isIt: (result: T) => boolean): Promise<T> {
  for (;;) {
    const result = await attempt()
    if (isIt(result)) return result
  }
}
