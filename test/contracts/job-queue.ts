import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobMessage, JobQueue } from '../../src/jobs/queue.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import type { DatabasePool } from '../../src/store/database.ts'
import { lapseLeases } from '../../src/store/lapse-leases.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import type { MovedJob } from '../../src/store/transition-job.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { aDelivery } from '../support/deliveries.ts'

/** One queue server of its own for a test, and what only its technology knows how to do. */
export interface QueueServer {
  /** A queue as one process would open it; closed when the test ends. */
  open(): JobQueue
  /** A queue whose server is not there. */
  openAway(): JobQueue
  /** Where the rows are. */
  db: DatabasePool
  cutConnections(): Promise<void>
}

/** Every wait below is for something to happen: a test that waits in vain fails by this. */
const LIMIT = { timeout: 30_000 }

/** What every queue promises (`src/jobs/queue.ts`), on a real server. */
export function testJobQueue(
  technology: string,
  { start, skip = false }: { start(t: TestContext): Promise<QueueServer>; skip?: string | false },
): void {
  describe(`a job queue on ${technology}`, { skip }, () => {
    test('hands published jobs to a consumer', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const worker = await startWorker(server, queue, { slots: 5 })

      const jobs = await publishNew(server, queue, 3)

      assert.deepEqual(byId(await worker.holding(3)), byId(jobs))
    })

    test('keeps what is published before there is a consumer', LIMIT, async (t) => {
      const server = await start(t)
      const publisher = server.open()
      const jobs = await publishNew(server, publisher, 2)
      await publisher.close()

      const worker = await startWorker(server, server.open(), { slots: 2 })

      assert.deepEqual(byId(await worker.holding(2)), byId(jobs))
    })

    test('hands a consumer no more than its slots, and the rest to others', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const small = await startWorker(server, queue, { slots: 2 })
      const jobs = await publishNew(server, queue, 5)
      await small.holding(2)

      const large = await startWorker(server, server.open(), { slots: 3 })
      await large.holding(3)

      assert.deepEqual(byId([...small.handed, ...large.handed]), byId(jobs))
    })

    test('hands over one more for each that settles', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const worker = await startWorker(server, queue, { slots: 2 })
      const jobs = await publishNew(server, queue, 8)

      for (let expected = 2; expected <= 8; expected++) {
        await worker.holding(2)
        assert.equal(worker.handed.length, expected)
        worker.settleOldest()
      }

      assert.deepEqual(byId(worker.handed), byId(jobs))
    })

    test('lets two consumers share, with no job in the hands of both', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const one = await startWorker(server, server.open(), { slots: 5 })
      const other = await startWorker(server, server.open(), { slots: 5 })

      const jobs = await publishNew(server, queue, 10)

      assert.deepEqual(byId([...(await one.holding(5)), ...(await other.holding(5))]), byId(jobs))
    })

    test('counts a job as delivered when its handler fails', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const worker = await startWorker(server, queue, { slots: 1 })
      const failing = await publishNew(server, queue, 1)
      await worker.holding(1)

      worker.failOldest()
      const next = await publishNew(server, queue, 1)
      await worker.holding(1)

      assert.deepEqual(worker.handed, [...failing, ...next])
    })

    test(
      'lets another consumer have what one held that died, once its lease has lapsed',
      LIMIT,
      async (t) => {
        const server = await start(t)
        const queue = server.open()
        const dying = await startWorker(server, queue, { slots: 1 })
        const job = await newJob(server)
        await queue.publish([job])
        await dying.holding(1)
        await queue.close()

        const other = server.open()
        const next = await startWorker(server, other, { slots: 1 })
        await server.db.query('update workflow_jobs set lease_until = now()')
        await lapseLeases(server.db, 'test')
        await other.publish([job])
        assert.deepEqual(await next.holding(1), [job])
      },
    )

    test('hands nothing more to a stopped consumer, and leaves it what it holds', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const stopped = await startWorker(server, queue, { slots: 3 })
      const held = await publishNew(server, queue, 1)
      await stopped.holding(1)

      await stopped.consumer.stop()
      const later = await publishNew(server, queue, 2)
      const other = await startWorker(server, server.open(), { slots: 4 })
      assert.deepEqual(byId(await other.holding(2)), byId(later))

      stopped.settleOldest()
      await queue.close()
      const last = await publishNew(server, server.open(), 1)
      assert.deepEqual(byId(await other.holding(3)), byId([...later, ...last]))
      assert.deepEqual(stopped.handed, held)
    })

    test(
      'gives the first slot that becomes free to a single job behind a burst of 5,000',
      LIMIT,
      async (t) => {
        const server = await start(t)
        const queue = server.open()
        const burst = await record(server.db, 5_000, 'https://example.com/acme/busy.git')
        while (burst.length > 0) await queue.publish(burst.splice(0, 250))
        const worker = await startWorker(server, server.open(), { slots: 4 })
        await worker.holding(4)

        const [single] = await record(server.db, 1, 'https://example.com/acme/quiet.git')
        assert.ok(single)
        await queue.publish([single])
        worker.settleOldest()

        const held = await worker.holding(4)
        assert.deepEqual(held.at(-1), single)
      },
    )

    test('runs what it was claiming when it was told to stop', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const job = await newJob(server)
      const gate = new EventEmitter()
      const claiming = once(gate, 'claiming')
      const goOn = once(gate, 'go on')
      const run: string[] = []
      const consumer = await queue.consume({
        slots: 1,
        async claim(count) {
          gate.emit('claiming')
          await goOn
          return claimFairly(server.db, count)
        },
        run: async ({ id }) => void run.push(id),
      })
      await queue.publish([job])
      await claiming

      const stopped = consumer.stop()
      setTimeout(() => gate.emit('go on'), 200)
      await stopped

      assert.deepEqual(run, [job.jobId])
    })

    test('rejects a publish with QUEUE_UNAVAILABLE while its server is away', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.openAway()

      await assert.rejects(queue.publish([await newJob(server)]), isUnavailable)

      assert.equal(queue.isUp(), false)
    })

    test('goes on by itself after every connection was cut', LIMIT, async (t) => {
      const server = await start(t)
      const queue = server.open()
      const worker = await startWorker(server, server.open(), { slots: 1, settle: 'at once' })
      const before = await newJob(server)
      await queue.publish([before])
      await worker.handedOver(before)

      await server.cutConnections()

      const after = await newJob(server)
      await publishWhenUp(queue, after)
      await worker.handedOver(after)
      assert.equal(queue.isUp(), true)
    })
  })
}

export function isUnavailable(error: unknown): boolean {
  return (
    error instanceof KodusError && error.code === 'QUEUE_UNAVAILABLE' && error.retryability === 'transient'
  )
}

/** Publishes until the queue takes it, as the dispatcher does. */
export async function publishWhenUp(queue: JobQueue, message: JobMessage): Promise<void> {
  for (;;) {
    try {
      return await queue.publish([message])
    } catch (error) {
      assert.ok(isUnavailable(error), String(error))
      await sleep(20)
    }
  }
}

async function publishNew(server: QueueServer, queue: JobQueue, count: number): Promise<JobMessage[]> {
  const messages = await Promise.all(Array.from({ length: count }, () => newJob(server)))
  await queue.publish(messages)
  return messages
}

function byId(messages: readonly JobMessage[]): JobMessage[] {
  return messages.toSorted((a, b) => (a.jobId < b.jobId ? -1 : 1))
}

export async function newJob({ db }: Pick<QueueServer, 'db'>): Promise<JobMessage> {
  const [job] = await record(db, 1)
  assert.ok(job)
  return job
}

async function record(db: DatabasePool, count: number, repository?: string): Promise<JobMessage[]> {
  const deliveries = Array.from({ length: count }, () =>
    aDelivery({ request: repository ? { repository } : {} }),
  )
  await recordDeliveries(db, deliveries, 60_000)
  return deliveries.map(({ jobId }) => ({ jobId, type: 'code-review', version: 1 }))
}

function claimFairly(db: DatabasePool, count: number): Promise<MovedJob[]> {
  return claimJobs(db, 'test', { types: ['code-review'], limits: NO_LIMITS, count, withSuspect: true })
}

/** A consumer that claims what may run, and holds it until told to settle. */
async function startWorker(
  { db }: QueueServer,
  queue: JobQueue,
  { slots, settle }: { slots: number; settle?: 'at once' },
) {
  const handed: JobMessage[] = []
  const held: { message: JobMessage; settle(): void; fail(error: Error): void }[] = []
  const changes = new EventEmitter()

  const consumer = await queue.consume({
    slots,
    claim: (count) => claimFairly(db, count),
    async run({ id, type, version }) {
      const message = { jobId: id, type, version }
      handed.push(message)
      const settled = new Promise<void>((resolve, reject) => {
        held.push({ message, settle: resolve, fail: reject })
      })
      changes.emit('change')
      if (settle !== 'at once') await settled
    },
  })

  async function until(happened: () => boolean): Promise<void> {
    while (!happened()) await once(changes, 'change')
  }

  return {
    consumer,
    /** Everything ever handed over, in order. */
    handed,
    /** Resolves with what is held once that is `count` jobs. */
    async holding(count: number): Promise<JobMessage[]> {
      await until(() => held.length >= count)
      return held.map(({ message }) => message)
    },
    handedOver: (job: JobMessage) => until(() => handed.some(({ jobId }) => jobId === job.jobId)),
    settleOldest: () => held.shift()?.settle(),
    failOldest: () => held.shift()?.fail(new Error('the handler failed')),
  }
}
