import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'
import amqp from 'amqplib'
import { pino } from 'pino'
import { freePort } from '../../src/cli/stack/free-port.ts'
import type { JobMessage, JobQueue } from '../../src/jobs/queue.ts'
import { startRabbitmqConsumer } from '../../src/jobs/rabbitmq-consumer.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { DEAD_LETTER_EXCHANGE, declareTopology, EXCHANGE, JOBS_QUEUE } from '../../src/jobs/topology.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { isUnavailable, publishWhenUp } from '../contracts/job-queue.ts'
import { declareQueues } from '../support/declare-queues.ts'
import {
  createVhost,
  everyRabbitmq,
  type RabbitmqNode,
  type SharedRabbitmq,
  skipWithoutRabbitmq,
  startRabbitmqNode,
} from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const LIMIT = { timeout: 120_000 }

for (const rabbitmq of everyRabbitmq) {
  const { series, skip } = rabbitmq
  describe(`RabbitMQ ${series} itself fails`, { skip }, () => testFailures(rabbitmq))
  describe(`RabbitMQ ${series} is not set up as we need it`, { skip }, () => testSetUp(rabbitmq))
}

describe('the network between us and RabbitMQ fails', { skip: skipWithoutRabbitmq }, () => {
  test('a cut rejects every publish in flight, and later ones work', LIMIT, async (t) => {
    const { queue, proxy } = await openThroughProxy(t)
    proxy.blackhole()
    const inFlight = Array.from({ length: 50 }, () => queue.publish([aJob()]))

    proxy.cut()

    for (const publish of inFlight) {
      await assert.rejects(publish, (error) => {
        assert.doesNotMatch(String(error), /no confirm/) // The cut was noticed, not the deadline.
        return isUnavailable(error)
      })
    }
    proxy.restore()
    await publishWhenUp(queue, aJob())
  })

  test('a black hole rejects a publish by its deadline, and later ones work', LIMIT, async (t) => {
    const { queue, proxy } = await openThroughProxy(t)
    proxy.blackhole()

    await assert.rejects(queue.publish([aJob()]), (error) => {
      assert.match(String(error), /no confirm within 2000 ms/)
      return isUnavailable(error)
    })
    assert.equal(queue.isUp(), false)

    proxy.restore()
    await publishWhenUp(queue, aJob())
  })

  test('a consumer in a black hole can be stopped and closed', LIMIT, async (t) => {
    const { queue, proxy } = await openThroughProxy(t)
    const consumer = await queue.consume({ slots: 1, claim: async () => [], run: async () => {} })
    proxy.blackhole()

    await consumer.stop()
    await queue.close()
  })
})

function testFailures(rabbitmq: SharedRabbitmq): void {
  const startNode = (t: TestContext, port?: number) => startOwnNode(t, rabbitmq, port)

  test('a broker that is not there at the start is used when it appears', LIMIT, async (t) => {
    const port = await freePort()
    const { queue, taken } = await openConsumed(t, `amqp://127.0.0.1:${port}`)
    await assert.rejects(queue.publish([aJob()]), isUnavailable)
    await assert.rejects(queue.depth(), isUnavailable)
    assert.equal(queue.isUp(), false)

    await startNode(t, port)

    const job = aJob()
    await publishWhenUp(queue, job)
    await until(() => taken.includes(job.jobId))
  })

  test('killed and started again, it brings the consumer all that it had confirmed', LIMIT, async (t) => {
    const { node: made, restart } = await startNode(t)
    await declareQueues(made.url)
    await made.stop()
    const node = await restart()
    const { queue, taken } = await openConsumed(t, node.url)
    const confirmed: string[] = []
    let refused = 0
    const streaming = new AbortController()
    const stream = async () => {
      while (!streaming.signal.aborted) {
        const job = aJob()
        try {
          await queue.publish([job])
          confirmed.push(job.jobId)
        } catch (error) {
          assert.ok(isUnavailable(error), String(error))
          refused += 1
          await sleep(20)
        }
      }
    }
    const streams = Promise.all(Array.from({ length: 8 }, stream))
    await until(() => confirmed.length > 200)
    await node.kill()
    await until(() => refused > 0)
    const before = confirmed.length
    await restart()
    await until(() => confirmed.length > before + 200)
    streaming.abort()
    await streams

    await until(() => {
      const there = new Set(taken)
      return confirmed.every((jobId) => there.has(jobId))
    })
  })

  test('a full disk makes publishes fail until there is room, while consumers go on', LIMIT, async (t) => {
    const { node } = await startNode(t)
    const queue = open(t, node.url)
    const waiting = aJob()
    await queue.publish([waiting])

    await node.ctl(['set_disk_free_limit', String(10 ** 15)])
    await until(async () => /disk/.test(await node.ctl(['eval', 'rabbit_alarm:get_alarms().'])))
    await assert.rejects(queue.publish([aJob()]), isUnavailable)
    assert.equal(queue.isUp(), false)
    await assert.rejects(queue.publish([aJob()]), /short of disk or memory/)
    const { taken } = await openConsumed(t, node.url)
    await until(() => taken.includes(waiting.jobId))

    await node.ctl(['set_disk_free_limit', '1MB'])
    await until(() => queue.isUp())
    await queue.publish([aJob()])
  })

  test('a job longer than the broker’s consumer_timeout is neither lost nor run twice', LIMIT, async (t) => {
    const { node } = await startNode(t)
    await shortenConsumerTimeout(node)
    const { log, lines } = captureLog()
    const queue = open(t, node.url, { log })
    const rows = [aJob()]
    const ran: string[] = []
    await queue.publish(rows)
    await queue.consume({
      slots: 1,
      // As the table does it: what runs is not handed out again, whatever the broker delivers.
      claim: async (count) => rows.splice(0, count),
      run: async ({ jobId }) => {
        ran.push(jobId)
        await until(() =>
          lines.some(({ msg }) => /to consume .*: the broker closed the channel/.test(String(msg))),
        )
      },
    })

    await until(
      () => ran.length === 1 && lines.some(({ msg }) => /connected .* again, to consume/.test(String(msg))),
    )
    await until(async () => (await queue.depth()) === 0)
    const next = aJob()
    rows.push(next)
    await queue.publish([next])

    await until(() => ran.includes(next.jobId))
    assert.equal(ran.length, 2)
  })

  test('a message that is acknowledged early outlasts the consumer_timeout', LIMIT, async (t) => {
    const { node } = await startNode(t)
    await shortenConsumerTimeout(node)
    const { log, lines } = captureLog()
    const queue = open(t, node.url)
    await queue.publish([aJob()])
    let handled = 0
    const consumer = startRabbitmqConsumer({
      url: node.url,
      log,
      queue: JOBS_QUEUE,
      slots: 1,
      acknowledgeWithinMs: CONSUMER_TIMEOUT_MS / 4,
      handle: async () => {
        handled += 1
        await sleep(5 * CONSUMER_TIMEOUT_MS)
        return 'acknowledge'
      },
    })
    t.after(() => consumer.close())
    await until(() => handled === 1)
    await sleep(6 * CONSUMER_TIMEOUT_MS)

    assert.deepEqual(lines, [])
    assert.equal(handled, 1)
    assert.equal(await queue.depth(), 0)
  })
}

/** Checked by the broker twice in that time; stock, it is 30 minutes, checked every minute. */
const CONSUMER_TIMEOUT_MS = 1_000

async function shortenConsumerTimeout(node: RabbitmqNode): Promise<void> {
  const set = (name: string, value: number) => `application:set_env(rabbit, ${name}, ${value})`
  const settings = [
    set('consumer_timeout', CONSUMER_TIMEOUT_MS),
    set('channel_tick_interval', CONSUMER_TIMEOUT_MS / 2),
  ]
  await node.ctl(['eval', `${settings.join(', ')}.`])
}

function testSetUp({ createVhost, ctl }: SharedRabbitmq): void {
  test('a queue that exists with other arguments is named, once, with what to do', LIMIT, async (t) => {
    const url = await createVhost()
    const connection = await openConnection(t, url)
    const channel = await connection.createChannel()
    const others = {
      'x-queue-type': 'quorum',
      'x-dead-letter-exchange': DEAD_LETTER_EXCHANGE,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    }
    await channel.assertQueue(JOBS_QUEUE, { durable: true, arguments: { ...others, 'x-delivery-limit': 20 } })
    const { log, lines } = captureLog()

    const queue = open(t, url, { log })
    await assert.rejects(queue.publish([aJob()]), isUnavailable)
    await queue.close()

    assert.equal(lines.length, 1)
    assert.equal(lines[0]?.code, 'TOPOLOGY_MISMATCH')
    assert.match(String(lines[0]?.msg), /workflow\.jobs\.queue exists with another x-delivery-limit/)
    assert.match(
      String(lines[0]?.help),
      /workflow\.jobs\.queue may be deleted while all runs, the others once they are empty/,
    )
    await assert.rejects(declareTopology(connection), (error) => {
      return error instanceof KodusError && error.code === 'TOPOLOGY_MISMATCH'
    })
  })

  test('a message for which no queue is bound is not taken for published', LIMIT, async (t) => {
    const url = await createVhost()
    const queue = open(t, url)
    await queue.publish([aJob()])
    const channel = await (await openConnection(t, url)).createChannel()
    await channel.unbindQueue(JOBS_QUEUE, EXCHANGE, 'workflow.jobs.created.#')

    await assert.rejects(queue.publish([aJob()]), /no queue is bound/)

    await publishWhenUp(queue, aJob()) // Declared again with the next connection.
  })

  // RabbitMQ 4 grants the second of two equal bindings before the first routes, and refuses a message for a queue
  // that is still being made.
  test('many that start at once on an empty broker all publish in the end', LIMIT, async (t) => {
    const url = await createVhost()
    const queues = Array.from({ length: 6 }, () => open(t, url))

    await Promise.all(queues.map((queue) => publishWhenUp(queue, aJob())))

    assert.ok(queues.every((queue) => queue.isUp()))
  })

  test('a queue that is deleted is declared again, and its consumer goes on', LIMIT, async (t) => {
    const url = await createVhost()
    const { queue, taken } = await openConsumed(t, url)
    const before = aJob()
    await queue.publish([before])
    await until(() => taken.includes(before.jobId))
    const channel = await (await openConnection(t, url)).createChannel()

    await channel.deleteQueue(JOBS_QUEUE)

    const after = aJob()
    await publishWhenUp(queue, after)
    await until(() => taken.includes(after.jobId))
  })

  test('a wrong password is reported without it', LIMIT, async (t) => {
    const url = new URL(await createVhost())
    url.password = 'hunter2-is-secret'
    const { log, lines } = captureLog()

    await assert.rejects(open(t, url.href, { log }).publish([aJob()]), (error) => {
      assert.doesNotMatch(JSON.stringify(error) + String(error), /hunter2/)
      return isUnavailable(error)
    })

    assert.equal(lines[0]?.code, 'RABBITMQ_REFUSED')
    assert.match(String(lines[0]?.msg), /ACCESS_REFUSED/)
    assert.match(String(lines[0]?.help), /user, password/)
    assert.doesNotMatch(JSON.stringify(lines), /hunter2/)
  })

  test(
    'a virtual host that is not there is named as the reason, and used when it appears',
    LIMIT,
    async (t) => {
      const url = new URL(await createVhost())
      const vhost = `late-${randomUUID()}`
      url.pathname = vhost
      const { log, lines } = captureLog()
      const queue = open(t, url.href, { log })
      await assert.rejects(queue.publish([aJob()]), isUnavailable)
      assert.equal(lines.length, 1)
      assert.equal(lines[0]?.code, 'RABBITMQ_REFUSED')
      assert.match(String(lines[0]?.msg), /no such virtual host/)

      await ctl(['add_vhost', vhost])
      await ctl(['set_permissions', '--vhost', vhost, 'guest', '.*', '.*', '.*'])

      await publishWhenUp(queue, aJob())
      assert.equal(await queue.depth(), 1)
      assert.doesNotMatch(JSON.stringify(lines), /guest:guest/)
    },
  )

  test('a user who may not declare what we need is named as the reason', LIMIT, async (t) => {
    const url = await createVhost()
    const vhost = new URL(url).pathname.slice(1)
    await ctl(['set_permissions', '--vhost', vhost, 'guest', '', '.*', '.*'])
    const { log, lines } = captureLog()
    const queue = open(t, url, { log })

    await assert.rejects(queue.publish([aJob()]), isUnavailable)

    assert.equal(lines[0]?.code, 'RABBITMQ_REFUSED')
    assert.match(String(lines[0]?.msg), /access to exchange 'workflow\.exchange/)
  })

  test('an address that is none is refused at once, and stays out of the message', LIMIT, () => {
    for (const url of ['amqp://user:hunter2@', 'http://user:hunter2@host', 'hunter2']) {
      assert.throws(
        () => createRabbitmqQueue({ url, log: captureLog().log }),
        (error) => {
          assert.doesNotMatch(JSON.stringify(error) + String(error), /hunter2/)
          return error instanceof KodusError && error.code === 'RABBITMQ_URL_INVALID'
        },
      )
    }
  })
}

describe('TLS', { skip: skipWithoutRabbitmq }, () => {
  test('a broker whose CA we are given is trusted, and not without', LIMIT, async (t) => {
    const { url, caFile } = await startTlsFront(t, await createVhost())

    await open(t, url, { caFile }).publish([aJob()])

    const { log, lines } = captureLog()
    await assert.rejects(open(t, url, { log }).publish([aJob()]), isUnavailable)
    assert.match(JSON.stringify(lines), /self-signed certificate/)
  })

  test('a CA file that cannot be read is refused at once', LIMIT, (t) => {
    assert.throws(
      () => open(t, 'amqps://127.0.0.1', { caFile: '/nonexistent.pem' }),
      (error) => error instanceof KodusError && error.code === 'RABBITMQ_CA_UNREADABLE',
    )
  })
})

function aJob(): JobMessage {
  return { jobId: randomUUID(), type: 'code-review', version: 1 }
}

function open(
  t: TestContext,
  url: string,
  { log = captureLog().log, caFile }: { log?: Log; caFile?: string } = {},
) {
  const queue = createRabbitmqQueue({ url, caFile, log })
  t.after(() => queue.close())
  return queue
}

async function openConsumed(t: TestContext, url: string): Promise<{ queue: JobQueue; taken: string[] }> {
  const queue = open(t, url)
  const taken: string[] = []
  const consumer = startRabbitmqConsumer({
    url,
    log: silentLog,
    queue: JOBS_QUEUE,
    slots: 5,
    async handle(content) {
      taken.push(JSON.parse(String(content)).jobId)
      return 'acknowledge'
    },
  })
  t.after(() => consumer.close())
  return { queue, taken }
}

async function openThroughProxy(t: TestContext) {
  const url = await createVhost()
  const { hostname, port } = new URL(url)
  const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
  const queue = open(t, proxy.through(url))
  await queue.publish([aJob()])
  return { queue, proxy }
}

async function openConnection(t: TestContext, url: string) {
  const connection = await amqp.connect(url)
  t.after(() => connection.close())
  return connection
}

/** A node of its own, for tests that kill or starve it. */
async function startOwnNode(t: TestContext, { series }: SharedRabbitmq, port?: number) {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-rabbitmq-'))
  let node = await startRabbitmqNode({ directory, series, ...(port ? { port } : {}) })
  t.after(async () => {
    await node.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  const restart = async () => {
    node = await startRabbitmqNode({ directory, series, port: Number(new URL(node.url).port) })
    return node
  }
  return { node, restart }
}

/** The broker as TLS shows it: a certificate that only its own CA file makes trusted. */
async function startTlsFront(t: TestContext, url: string): Promise<{ url: string; caFile: string }> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-tls-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const [keyFile, caFile] = [path.join(directory, 'key.pem'), path.join(directory, 'ca.pem')]
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', keyFile, '-out', caFile]
  await promisify(execFile)('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    ...files,
    ...subject,
  ])

  const { hostname, port, pathname } = new URL(url)
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(caFile) }, (socket) => {
    const upstream = connect(Number(port), hostname)
    socket.pipe(upstream).pipe(socket)
    socket.on('error', () => upstream.destroy())
    upstream.on('error', () => socket.destroy())
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return { url: `amqps://guest:guest@127.0.0.1:${address.port}${pathname}`, caFile }
}

function captureLog(): { log: Log; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}

async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(20)
}
