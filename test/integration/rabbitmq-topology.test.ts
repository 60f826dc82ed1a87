import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import { pino } from 'pino'
import { keepDeclared } from '../../src/jobs/keep-declared.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import {
  DEAD_LETTER_QUEUE,
  INTAKE_QUEUE,
  JOBS_QUEUE,
  mismatchPauseMs,
  QUEUES,
  type QueueName,
} from '../../src/jobs/topology.ts'
import { isUnavailable, publishWhenUp } from '../contracts/job-queue.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { everyRabbitmq, type SharedRabbitmq } from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { readQueue } from '../webhook-handler/read-queue.ts'
import { get, gitBody, postGit, startHandler } from '../webhook-handler/start-handler.ts'

const LIMIT = { timeout: 120_000 }

for (const rabbitmq of everyRabbitmq) {
  const { series, skip } = rabbitmq
  describe(`a queue of RabbitMQ ${series} that exists with other arguments`, { skip }, () =>
    testMismatch(rabbitmq),
  )
}

test('a mismatch is left alone for longer and longer, up to five minutes', () => {
  const minutes = [1, 2, 3, 4, 5].map((times) => mismatchPauseMs(times) / 60_000)
  assert.deepEqual(minutes, [1, 2, 4, 5, 5])
})

function testMismatch({ createVhost }: SharedRabbitmq): void {
  test(
    'of the jobs: webhooks go to the intake queue while PostgreSQL is away, and their rows wait while it is there',
    LIMIT,
    async (t) => {
      const rabbitmq = await createVhost()
      await declareOtherwise(t, rabbitmq, JOBS_QUEUE)
      const { url, pool } = await createDatabase(t)
      const { hostname, port } = new URL(url)
      const proxy = await startTcpProxy(t, { host: hostname, port: Number(port) })
      const handler = await startHandler(t, { DATABASE_URL: proxy.through(url), RABBITMQ_URL: rabbitmq })
      const send = async () => {
        const id = randomUUID()
        const { status, body } = await postGit(handler, gitBody(), { id })
        assert.deepEqual([status, body.jobId], [202, jobIdOf('git', id)])
        return id
      }
      await handler.line(({ code }) => code === 'TOPOLOGY_MISMATCH')

      const recorded = await send()
      const due = 'select delivery_id, status, due_at is not null as waits from workflow_jobs'
      assert.deepEqual((await pool.query(due)).rows, [
        { delivery_id: recorded, status: 'PENDING', waits: true },
      ])
      // The intake queue's channel may take a moment longer.
      const whole = await until(
        () => get(`${handler.url}/ready`),
        ({ body }) => body.broker === 'up',
      )
      assert.deepEqual(whole.body, { status: 'ready', database: 'up', broker: 'up' })

      proxy.cut()
      const sent = await Promise.all([send(), send(), send()])
      const ready = await until(
        () => get(`${handler.url}/ready`),
        ({ body }) => body.database === 'down',
      )
      assert.deepEqual([ready.status, ready.body.broker], [200, 'up'])
      const queued = await readQueue(rabbitmq)
      assert.deepEqual(queued.map(({ deliveryId }) => deliveryId).sort(), [...sent].sort())

      proxy.restore()
      await until(
        async () => {
          const id = await send()
          return (await pool.query('select from workflow_jobs where delivery_id = $1', [id])).rowCount
        },
        (rows) => rows === 1,
      )
      const said = handler.lines.filter(({ code }) => code === 'TOPOLOGY_MISMATCH')
      assert.equal(said.length, 1)
      assert.match(String(said[0]?.msg), /workflow\.jobs\.queue exists with another x-/)
      assert.deepEqual(await readQueue(rabbitmq, JOBS_QUEUE), [], 'nothing is put into it')
    },
  )

  test('of the jobs: what is on the intake queue is recorded all the same', LIMIT, async (t) => {
    const url = await createVhost()
    await declareOtherwise(t, url, JOBS_QUEUE)
    const { queue, lines } = open(t, url)
    const delivery = aDelivery()
    await queue.intake.send(delivery)
    const recorded = await new Promise((resolve) => {
      void queue.intake.record(async (delivery) => resolve(delivery))
    })
    assert.deepEqual(recorded, delivery)
    assert.deepEqual([queue.isUp(), queue.intake.isUp()], [false, true])
    await assert.rejects(queue.publish([aJob()]), (error) => {
      assert.match(String(error), /workflow\.jobs\.queue exists with another x-/)
      return isUnavailable(error)
    })
    assert.equal(lines.filter(({ code }) => code === 'TOPOLOGY_MISMATCH').length, 1)
  })

  test('of the intake or the dead letters: jobs are published and taken', LIMIT, async (t) => {
    for (const other of [INTAKE_QUEUE, DEAD_LETTER_QUEUE] as const) {
      const url = await createVhost()
      await declareOtherwise(t, url, other)
      const { queue } = open(t, url)
      const job = aJob()
      await publishWhenUp(queue, job)
      const taken = await new Promise((resolve) => {
        void queue.consume({ slots: 1, claim: async () => [job], run: async (taken) => resolve(taken) })
      })
      assert.deepEqual(taken, job)
      assert.equal(queue.intake.isUp(), other !== INTAKE_QUEUE)
      if (other === INTAKE_QUEUE) await assert.rejects(queue.intake.send(aDelivery()), isUnavailable)
      else await queue.intake.send(aDelivery())
    }
  })

  test(
    'is declared anew when somebody has deleted it, on the same connection; until then each try is said',
    LIMIT,
    async (t) => {
      const url = await createVhost()
      const channel = await declareOtherwise(t, url, JOBS_QUEUE)
      const { log, lines } = captureLog()
      const connection = await amqp.connect(url)
      t.after(() => connection.close())
      const tries: number[] = []
      const queues = await keepDeclared(connection, log, (times) => {
        tries.push(times)
        return 20
      })
      assert.deepEqual(
        QUEUES.map((queue) => [queue, queues.whyNot(queue)?.code]),
        [
          [DEAD_LETTER_QUEUE, undefined],
          [INTAKE_QUEUE, undefined],
          [JOBS_QUEUE, 'TOPOLOGY_MISMATCH'],
        ],
      )
      await until(
        async () => lines.length,
        (count) => count >= 3,
      )
      await channel.deleteQueue(JOBS_QUEUE)
      await until(
        async () => queues.whyNot(JOBS_QUEUE),
        (why) => why === undefined,
      )
      const said = lines.map(({ code, msg }) => code ?? msg)
      assert.equal(said.pop(), 'workflow.jobs.queue is declared as it should be')
      assert.deepEqual(
        said,
        tries.map(() => 'TOPOLOGY_MISMATCH'),
      )
      assert.deepEqual(
        tries,
        tries.map((_, at) => at + 1),
      )
    },
  )

  test('is tried again when a try fails of something else, which has passed', LIMIT, async (t) => {
    const url = await createVhost()
    const channel = await declareOtherwise(t, url, JOBS_QUEUE)
    const { log } = captureLog()
    const connection = await amqp.connect(`${url}?channelMax=8`)
    t.after(() => connection.close())
    let tries = 0
    const queues = await keepDeclared(connection, log, () => {
      tries += 1
      return 20
    })
    const taken: amqp.Channel[] = []
    for (let full = false; !full; ) {
      await connection.createChannel().then(
        (one) => taken.push(one),
        () => (full = true),
      )
    }
    const before = tries
    await until(
      async () => tries,
      (now) => now > before + 2,
    )
    await channel.deleteQueue(JOBS_QUEUE)
    for (const one of taken) await one.close()
    await until(
      async () => queues.whyNot(JOBS_QUEUE),
      (why) => why === undefined,
    )
  })
}

/** As if an older installation, or a person, had declared it. */
async function declareOtherwise(t: TestContext, url: string, queue: QueueName): Promise<amqp.Channel> {
  const connection = await amqp.connect(url)
  t.after(() => connection.close())
  const channel = await connection.createChannel()
  await channel.assertQueue(queue, { durable: true })
  return channel
}

function open(t: TestContext, url: string) {
  const { log, lines } = captureLog()
  const queue = createRabbitmqQueue({ url, log })
  t.after(() => queue.close())
  return { queue, lines }
}

function aJob() {
  return { jobId: randomUUID(), type: 'code-review', version: 1 }
}

function captureLog() {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}

async function until<T>(attempt: () => Promise<T>, isIt: (result: T) => boolean): Promise<T> {
  for (;;) {
    const result = await attempt()
    if (isIt(result)) return result
    await sleep(20)
  }
}
