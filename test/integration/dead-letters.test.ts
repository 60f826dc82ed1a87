import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import { collectDeadLetters } from '../../src/jobs/rabbitmq-dead-letters.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { replayDeadLetter } from '../../src/jobs/replay-dead-letter.ts'
import {
  DEAD_LETTER_EXCHANGE,
  DEAD_LETTER_QUEUE,
  declareTopology,
  INTAKE_QUEUE,
  JOBS_QUEUE,
} from '../../src/jobs/topology.ts'
import { silentLog } from '../../src/lib/log.ts'
import { getJob } from '../../src/store/get-job.ts'
import { type DeadMessage, keepDeadLetter } from '../../src/store/keep-dead-letter.ts'
import { listDeadLetters } from '../../src/store/list-dead-letters.ts'
import { recordIntake } from '../../src/worker/record-intake.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'

const LIMIT = { timeout: 60_000 }

describe('dead letters reach a table', { skip: skipWithoutRabbitmq }, () => {
  test(
    'what is unreadable in either queue is kept, bytes and all, and gone from the broker',
    LIMIT,
    async (t) => {
      const { db, queue, send, collect, depth } = await aBroker(t)
      const takeNothing = {
        slots: 1,
        claim: async () => [],
        run: async () => {},
      }
      await queue.consume(takeNothing)
      await queue.intake.record(async () => {})
      const bytes = Buffer.from([0, 0xff, 0xfe, 0x7b])
      await send(JOBS_QUEUE, bytes)
      await send(INTAKE_QUEUE, Buffer.from('{"forge":'))
      collect()
      await until(async () => (await letters(db)).length === 2)
      assert.deepEqual(
        (await letters(db)).map(({ queue, reason, beginning }) => [queue, reason, beginning]).sort(),
        [
          [INTAKE_QUEUE, 'rejected', Buffer.from('{"forge":')],
          [JOBS_QUEUE, 'rejected', bytes],
        ],
      )
      await until(async () => (await depth()) === 0)
    },
  )

  test('a delivery that PostgreSQL refuses is there with its body', LIMIT, async (t) => {
    const { db, queue, collect } = await aBroker(t)
    const poison = aDelivery({ request: { title: 'a NUL: \u0000' } })
    await queue.intake.send(poison)
    await queue.intake.record((delivery) => recordIntake(delivery, { db, queue, log: silentLog }))
    collect()
    await until(async () => (await letters(db)).length === 1)
    const [letter] = await letters(db)
    assert.equal(letter?.messageId, poison.jobId)
    await assert.rejects(replayDeadLetter(db, { id: letter?.id ?? '', actor: 'mona' }), {
      code: 'DELIVERY_REFUSED',
    })
    assert.equal((await letters(db)).length, 1)
  })

  test('while they cannot be kept they stay in the broker, and are kept when they can', LIMIT, async (t) => {
    const { db, publishDead, collect, depth } = await aBroker(t)
    let failures = 0
    const away = collect(async () => {
      failures += 1
      throw new Error('the database is away')
    })
    await publishDead('a message')
    await until(() => failures >= 2)
    assert.deepEqual(await letters(db), [])
    await away.stop()
    await away.close()
    await until(async () => (await depth()) === 1)

    collect()
    await until(async () => (await letters(db)).length === 1)
  })

  test('one whose acknowledgement was lost comes again, and is kept once', LIMIT, async (t) => {
    const { db, publishDead, collect, depth } = await aBroker(t)
    await publishDead('a message')
    let kept = () => {}
    const first = new Promise<void>((resolve) => (kept = resolve))
    const dying = collect(async (message) => {
      await keepDeadLetter(db, message)
      kept()
      await new Promise<never>(() => {})
    })
    await first
    await dying.close()

    collect()
    await until(async () => (await depth()) === 0 && (await letters(db)).length === 1)
    await publishDead('another')
    await until(async () => (await letters(db)).length === 2)
  })

  test('a message that was put there by hand, with headers that make no sense, is kept', LIMIT, async (t) => {
    const { db, publishDead, collect } = await aBroker(t)
    collect()
    for (const death of ['x', [], [7], [{ queue: 5 }], { 0: 'x' }]) {
      await publishDead(JSON.stringify(death), { 'x-death': death })
    }
    await until(async () => (await letters(db)).length === 5)
    assert.deepEqual(
      [...new Set((await letters(db)).map(({ queue, reason }) => `${queue}: ${reason}`))],
      [`${DEAD_LETTER_QUEUE}: published here`],
    )
  })

  test('ten megabytes of a stranger are kept in part, said to be, and hold up nobody', LIMIT, async (t) => {
    const { db, publishDead, collect } = await aBroker(t)
    collect()
    await publishDead('x'.repeat(10_000_000))
    await publishDead('a message')
    await until(async () => (await letters(db)).length === 2)
    assert.match((await letters(db))[1]?.reason ?? '', /kept are the first 1048576 of its 10000000 bytes/)
  })
})

test('a delivery among the dead letters is recorded by a replay, and the letter is settled', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  const id = await keepDeadLetter(db, dead(delivery))
  assert.deepEqual(await replayDeadLetter(db, { id, actor: 'mona' }), {
    jobId: delivery.jobId,
    did: 'recorded as a new job',
  })
  assert.equal((await getJob(db, delivery.jobId))?.status, 'PENDING')
  assert.deepEqual(await letters(db), [])
  await assert.rejects(replayDeadLetter(db, { id, actor: 'mona' }), { code: 'DEAD_LETTER_SETTLED' })

  const again = await keepDeadLetter(db, dead(delivery))
  const twice = await replayDeadLetter(db, { id: again, actor: 'mona' })
  assert.equal(twice?.did, 'known already: its job is PENDING')
  assert.equal((await db.query('select from workflow_jobs')).rowCount, 1)
})

test('a job message among the dead letters has its waiting job published again at once', async (t) => {
  const { pool: db } = await createDatabase(t)
  const delivery = aDelivery()
  await replayDeadLetter(db, { id: await keepDeadLetter(db, dead(delivery)), actor: 'mona' })
  await db.query(`update workflow_jobs set due_at = now() + interval '1 hour'`)
  const message = { jobId: delivery.jobId, type: 'code-review', version: 1 }
  const did = async () =>
    (await replayDeadLetter(db, { id: await keepDeadLetter(db, dead(message)), actor: 'mona' }))?.did
  assert.equal(await did(), 'published again')
  assert.equal((await db.query('select from workflow_jobs where due_at <= now()')).rowCount, 1)

  await db.query(`update workflow_jobs set status = 'COMPLETED', due_at = null`)
  assert.equal(await did(), 'nothing to do: the job is COMPLETED')
  assert.equal((await db.query('select from workflow_jobs where due_at is null')).rowCount, 1)
})

test('what no build can read, or what announces a job that is not there, stays as it is', async (t) => {
  const { pool: db } = await createDatabase(t)
  const { jobId } = aDelivery()
  const unreadable = await keepDeadLetter(db, { ...dead({}), body: Buffer.from([0xff]) })
  const orphan = await keepDeadLetter(db, dead({ jobId, type: 'code-review', version: 1 }))
  await assert.rejects(replayDeadLetter(db, { id: unreadable, actor: 'mona' }), {
    code: 'DEAD_LETTER_UNREADABLE',
  })
  await assert.rejects(replayDeadLetter(db, { id: orphan, actor: 'mona' }), { code: 'JOB_UNKNOWN' })
  assert.equal((await letters(db)).length, 2)
  assert.equal(await replayDeadLetter(db, { id: '999', actor: 'mona' }), undefined)
})

function dead(content: object): DeadMessage {
  const body = Buffer.from(JSON.stringify(content))
  return { queue: INTAKE_QUEUE, routingKey: 'workflow.intake', reason: 'rejected', messageId: null, body }
}

async function letters(db: Parameters<typeof listDeadLetters>[0]) {
  return (await listDeadLetters(db, { limit: 100 })).letters
}

/** A virtual host and a database of their own. */
async function aBroker(t: TestContext) {
  const { pool: db } = await createDatabase(t)
  const url = await createVhost()
  const connection = await amqp.connect(url)
  t.after(() => connection.close())
  await declareTopology(connection)
  const queue = createRabbitmqQueue({ url, log: silentLog })
  t.after(() => queue.close())
  const channel = await connection.createConfirmChannel()
  const send = async (to: string, content: Buffer) => {
    channel.sendToQueue(to, content)
    await channel.waitForConfirms()
  }
  return {
    db,
    queue,
    send,
    publishDead: async (content: string, headers = {}) => {
      channel.publish(DEAD_LETTER_EXCHANGE, 'by.hand', Buffer.from(content), { headers })
      await channel.waitForConfirms()
    },
    /** What waits in the dead-letter queue, in nobody's hands. */
    depth: async () => (await channel.checkQueue(DEAD_LETTER_QUEUE)).messageCount,
    collect: (
      keep: (message: DeadMessage) => Promise<unknown> = (message) => keepDeadLetter(db, message),
    ) => {
      const collector = collectDeadLetters({ url, log: silentLog, keep })
      t.after(() => collector.close())
      return collector
    },
  }
}

/** Waits for a condition; the test's time limit ends it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20)
}
