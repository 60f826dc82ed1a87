import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase } from '../support/database.ts'
import { spawnComponent } from '../support/processes.ts'
import {
  everyRabbitmq,
  type RabbitmqNode,
  type SharedRabbitmq,
  startRabbitmqNode,
} from '../support/rabbitmq.ts'
import { makeRepository } from '../support/repository.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { get, gitBody, postGit, startHandler } from '../webhook-handler/start-handler.ts'

/** The promise is 3 s; a test on a busy machine is given more, and GitHub gives up after 10. */
const ANSWERED_WITHIN_MS = 9_000

/** Each would be published with some 300 bytes. Heartbeats have 8, every five seconds. */
const WEBHOOKS = 30
const NEXT_TO_NOTHING = 1_000

for (const rabbitmq of everyRabbitmq) {
  const { series, skip } = rabbitmq
  describe(`RabbitMQ ${series} is short of memory`, { skip }, () => testShortage(rabbitmq))
}

function testShortage({ series }: SharedRabbitmq): void {
  test('webhooks are accepted by PostgreSQL, or sent away in time, and all goes on afterwards', {
    timeout: 300_000,
  }, async (t) => {
    const { node, handler, databaseProxy, send, statuses, sentToBroker } = await startStack(t, series)
    assert.equal((await send()).status, 202)
    await until(statuses, (all) => all.join() === 'COMPLETED')

    await node.ctl(['set_vm_memory_high_watermark', '0'])
    await until(
      () => node.ctl(['eval', 'rabbit_alarm:get_alarms().']),
      (alarms) => /memory/.test(alarms),
    )
    // RabbitMQ tells those who publish, when they do.
    assert.equal((await send()).status, 202)
    await handler.line(({ msg }) => /^RabbitMQ takes no messages/.test(msg))

    const before = sentToBroker()
    const answers = await Promise.all(Array.from({ length: WEBHOOKS }, send))
    assert.deepEqual(
      answers.map(({ status }) => status),
      answers.map(() => 202),
    )
    const piledUp = sentToBroker() - before
    assert.ok(piledUp < NEXT_TO_NOTHING, `${piledUp} bytes wait for RabbitMQ`)
    assert.deepEqual((await get(`${handler.url}/ready`)).body, {
      status: 'ready',
      database: 'up',
      broker: 'down',
    })
    assert.deepEqual(await statuses(), [
      'COMPLETED',
      ...Array.from({ length: WEBHOOKS + 1 }, () => 'PENDING'),
    ])

    databaseProxy.cut()
    for (const { status, body, headers } of [await send(), ...(await Promise.all([send(), send()]))]) {
      assert.deepEqual([status, body.code], [503, 'STORES_UNAVAILABLE'])
      assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    }

    await node.ctl(['set_vm_memory_high_watermark', '0.6'])
    await handler.line(({ msg }) => msg === 'RabbitMQ takes messages again')
    assert.equal((await send()).status, 202, 'by way of the intake queue')
    databaseProxy.restore()
    // What was sent away may have got through all the same, when RabbitMQ read on.
    await until(statuses, (all) => {
      return all.length >= WEBHOOKS + 3 && all.every((status) => status === 'COMPLETED')
    })
  })
}

async function startStack(t: TestContext, series: SharedRabbitmq['series']) {
  const { url, pool } = await createDatabase(t)
  const { hostname, port } = new URL(url)
  const databaseProxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  const node = await startOwnNode(t, series)
  const counted = await startCounter(t, Number(new URL(node.url).port))
  const repository = makeRepository(t, {
    base: { 'names.py': 'def names(items):\n    return items\n' },
    head: { 'names.py': 'def names(items, seen=[]):\n    return items\n' },
  })
  await spawnComponent(t, {
    type: 'worker',
    env: { DATABASE_URL: url, RABBITMQ_URL: node.url, GIT_REPOSITORY_ROOTS: repository.root },
  })
  const handler = await startHandler(t, {
    DATABASE_URL: databaseProxy.through(url),
    RABBITMQ_URL: `amqp://guest:guest@127.0.0.1:${counted.port}`,
  })
  await until(
    () => get(`${handler.url}/ready`),
    ({ body }) => body.broker === 'up',
  )
  return {
    node,
    handler,
    databaseProxy,
    sentToBroker: counted.bytes,
    async send() {
      const began = performance.now()
      const { path: at, base, head } = repository
      const body = gitBody({ repository: at, base, head, nonce: randomUUID() })
      const answer = await postGit(handler, body)
      const took = performance.now() - began
      assert.ok(took < ANSWERED_WITHIN_MS, `it took ${took} ms`)
      return answer
    },
    async statuses(): Promise<string[]> {
      const { rows } = await pool.query('select status from workflow_jobs order by created_at')
      return rows.map(({ status }) => status)
    },
  }
}

/** A node of its own: the others of a run would be short of memory too. */
async function startOwnNode(t: TestContext, series: SharedRabbitmq['series']): Promise<RabbitmqNode> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-rabbitmq-'))
  const node = await startRabbitmqNode({ directory, series })
  t.after(async () => {
    await node.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  return node
}

/** Counts what is sent to a port by way of it, whether or not that is read there. */
async function startCounter(t: TestContext, port: number): Promise<{ port: number; bytes(): number }> {
  let bytes = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.on('data', (chunk) => {
      bytes += chunk.length
      upstream.write(chunk)
    })
    upstream.pipe(client)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return { port: address.port, bytes: () => bytes }
}

async function until<T>(attempt: () => Promise<T>, isIt: (result: T) => boolean): Promise<T> {
  for (;;) {
    const result = await attempt()
    if (isIt(result)) return result
    await sleep(50)
  }
}
