import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import amqp from 'amqplib'
import type { IntakeQueue } from '../../src/jobs/queue.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import type { Delivery } from '../../src/jobs/review-request.ts'
import { DEAD_LETTER_QUEUE, declareTopology, INTAKE_QUEUE, JOBS_QUEUE } from '../../src/jobs/topology.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { aDelivery } from '../support/deliveries.ts'
import { everyRabbitmq, type SharedRabbitmq } from '../support/rabbitmq.ts'
import { isUnavailable } from './job-queue.ts'

const LIMIT = { timeout: 30_000 }

for (const rabbitmq of everyRabbitmq) {
  const { series, skip } = rabbitmq
  describe(`an intake queue on RabbitMQ ${series}`, { skip }, () => testIntake(rabbitmq))
  describe(`what RabbitMQ ${series} brings and cannot be read goes to the dead letters`, { skip }, () =>
    testUnreadable(rabbitmq),
  )
}

function testIntake(rabbitmq: SharedRabbitmq): void {
  test('brings a delivery to a recorder as it was sent', LIMIT, async (t) => {
    const { open } = await startServer(t, rabbitmq)
    const delivery = aDelivery({ pullRequest: { draft: true } })
    await open().intake.send(delivery)

    assert.deepEqual(await nextRecorded(open().intake), delivery)
  })

  test('forgets a delivery once it is recorded', LIMIT, async (t) => {
    const { open } = await startServer(t, rabbitmq)
    const queue = open()
    const first = aDelivery()
    const second = aDelivery()
    await queue.intake.send(first)
    assert.deepEqual(await nextRecorded(queue.intake), first)
    await queue.close()

    const other = open()
    await other.intake.send(second)

    // What a recorder did not acknowledge is at the head of the queue again.
    assert.deepEqual(await nextRecorded(other.intake), second)
  })

  test('keeps a delivery whose recorder fails, and tries again', LIMIT, async (t) => {
    const { open } = await startServer(t, rabbitmq)
    const queue = open()
    const delivery = aDelivery()
    await queue.intake.send(delivery)
    const attempts: Delivery[] = []

    await new Promise<void>((resolve) => {
      void queue.intake.record(async (delivery) => {
        attempts.push(delivery)
        if (attempts.length < 3) throw new Error('the database is away')
        resolve()
      })
    })

    assert.deepEqual(attempts, [delivery, delivery, delivery])
  })

  test('moves a delivery that can never be recorded to the dead letters', LIMIT, async (t) => {
    const { open, deadLetters } = await startServer(t, rabbitmq)
    const queue = open()
    const delivery = aDelivery()
    await queue.intake.send(delivery)

    await queue.intake.record(async () => {
      throw new KodusError('DELIVERY_REFUSED', 'Its data cannot be stored.', { help: '' })
    })

    assert.deepEqual(
      (await deadLetters(1)).map((content) => JSON.parse(content)),
      [delivery],
    )
  })

  test('gives a delivery to another recorder when one stops without having recorded it', LIMIT, async (t) => {
    const { open } = await startServer(t, rabbitmq)
    const queue = open()
    const delivery = aDelivery()
    await queue.intake.send(delivery)
    let stopping: Promise<void> | undefined
    await new Promise<void>((resolve) => {
      const failing = queue.intake.record(async () => {
        stopping ??= failing.then((recorder) => recorder.stop())
        resolve()
        throw new Error('the database is away')
      })
    })
    await stopping

    assert.deepEqual(await nextRecorded(open().intake), delivery)
  })

  test('rejects with QUEUE_UNAVAILABLE while the broker is away', LIMIT, async (t) => {
    const { openAt } = await startServer(t, rabbitmq)

    await assert.rejects(openAt('amqp://127.0.0.1:1').intake.send(aDelivery()), isUnavailable)
  })
}

function testUnreadable(rabbitmq: SharedRabbitmq): void {
  const unreadable = ['', '{"jobId":', '[]', '{"jobId":"not a uuid","type":"code-review","version":1}']

  for (const queueName of [JOBS_QUEUE, INTAKE_QUEUE]) {
    test(`from ${queueName}, and what comes after it is handled`, LIMIT, async (t) => {
      const { open, channel, deadLetters } = await startServer(t, rabbitmq)
      const queue = open()
      const delivery = aDelivery()
      const job = { jobId: delivery.jobId, type: 'code-review', version: 1 }
      await queue.depth() // Connected now, and everything declared.
      for (const content of unreadable) channel.sendToQueue(queueName, Buffer.from(content))
      await channel.waitForConfirms()
      await (queueName === JOBS_QUEUE ? queue.publish([job]) : queue.intake.send(delivery))

      const handled = await new Promise<unknown>((resolve) => {
        const take = async (message: unknown) => resolve(message)
        void (queueName === JOBS_QUEUE
          ? queue.consume({ slots: 1, claim: async () => [job], run: take })
          : queue.intake.record(take))
      })

      assert.deepEqual(handled, queueName === JOBS_QUEUE ? job : delivery)
      const dead = await deadLetters(unreadable.length)
      assert.deepEqual(dead.toSorted(), unreadable.toSorted())
    })
  }
}

function nextRecorded(intake: IntakeQueue): Promise<Delivery> {
  return new Promise((resolve) => {
    void intake.record(async (delivery) => resolve(delivery))
  })
}

/** A virtual host of its own, and a channel to look into it with. */
async function startServer(t: TestContext, rabbitmq: SharedRabbitmq) {
  const url = await rabbitmq.createVhost()
  const connection = await amqp.connect(url)
  t.after(() => connection.close())
  await declareTopology(connection)
  const channel = await connection.createConfirmChannel()
  const openAt = (url: string) => {
    const queue = createRabbitmqQueue({ url, log: silentLog })
    t.after(() => queue.close())
    return queue
  }
  return {
    channel,
    openAt,
    open: () => openAt(url),
    async deadLetters(count: number): Promise<string[]> {
      const dead: string[] = []
      await channel.consume(DEAD_LETTER_QUEUE, (message) => {
        dead.push(String(message?.content))
        channel.emit('dead letter')
      })
      while (dead.length < count) await once(channel, 'dead letter')
      return dead
    },
  }
}
