// The product's own code from end to end: the webhook handler's batcher, the queue, the fair claim of a worker and
// the transition that completes a job. Only the review in between does nothing.
import { randomUUID } from 'node:crypto'
import { startDispatcher } from '../../src/jobs/dispatch-due.ts'
import { JOB_TYPES } from '../../src/jobs/job-types.ts'
import { gatherPublished } from '../../src/jobs/note-published.ts'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import { publishRecorded } from '../../src/jobs/publish-jobs.ts'
import type { JobQueue } from '../../src/jobs/queue.ts'
import { createRabbitmqQueue } from '../../src/jobs/rabbitmq-queue.ts'
import { ownDelivery } from '../../src/jobs/review-request.ts'
import { createLog } from '../../src/lib/log.ts'
import { type DatabasePool, openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createDeliveryBatcher } from '../../src/webhook-handler/batch-deliveries.ts'
import { createIngestDatabase } from '../../src/webhook-handler/ingest-database.ts'
import { DATABASE_DEADLINE_MS } from '../../src/webhook-handler/make-durable.ts'
import { completeTogether } from '../../src/worker/complete-jobs.ts'
import { takeJobs } from '../../src/worker/take-jobs.ts'
import { CONCURRENCY, type JobSystem, type Stores } from './system.ts'

const log = createLog('bench', 'warn')
const worker = 'bench'
const types = Object.keys(JOB_TYPES)
/** As many jobs of one repository or organisation as there are slots: nothing waits for fairness' sake. */
const limits = { perRepository: CONCURRENCY, perOrganisation: CONCURRENCY }

type OpenQueue = (pool: DatabasePool, stores: Stores) => JobQueue

function ours(openQueue: OpenQueue): JobSystem {
  return {
    prepare: async () => {}, // The database comes migrated.

    async openProducer(stores) {
      const db = openDatabase({
        url: stores.database,
        component: 'bench producer',
        maxConnections: 6,
        queryTimeoutMs: DATABASE_DEADLINE_MS,
        log,
      })
      const queue = openQueue(db, stores)
      const ingestDb = createIngestDatabase(db, DATABASE_DEADLINE_MS)
      const notes = gatherPublished(db, (error) => console.error(error))
      const batcher = createDeliveryBatcher({
        record: (deliveries) => recordDeliveries(ingestDb, deliveries, queue.outboxDelayMs),
        announce: (recorded) => publishRecorded({ db, queue, notes }, recorded),
        deadlineMs: DATABASE_DEADLINE_MS,
        log,
      })
      return {
        enqueue: async (request) =>
          void (await batcher.add({ ...ownDelivery('github', randomUUID()), request })),
        async close() {
          await batcher.settled()
          await notes.close()
          await queue.close()
          await db.end()
        },
      }
    },

    async startWorker(stores, onJob) {
      const db = openDatabase({
        url: stores.database,
        component: 'bench worker',
        maxConnections: CONCURRENCY + 4,
        log,
      })
      const queue = openQueue(db, stores)
      const dispatcher = startDispatcher({ db, queue, types, limits, worker, log })
      const stopping = new AbortController()
      const complete = completeTogether(db)
      const runner = {
        db,
        complete,
        queue,
        forges: {},
        model: undefined,
        worker,
        log,
        attempts: new Set<never>(),
      }
      const { claim } = takeJobs({ ...runner, stopping: stopping.signal }, new Set(), {
        slots: CONCURRENCY,
        types,
        limits,
      })
      const consumer = await queue.consume({
        slots: CONCURRENCY,
        claim,
        async run({ id: jobId, fence }) {
          onJob()
          await complete({ jobId, fence, actor: worker, reason: 'did nothing' })
        },
      })
      return {
        async unfinished() {
          const { rows } = await db.query<{ left: number }>(
            `select count(*)::int as left from workflow_jobs where status <> 'COMPLETED'`,
          )
          return rows[0]?.left ?? Number.NaN
        },
        async stop() {
          stopping.abort()
          await consumer.stop()
          await dispatcher.stop()
          await queue.close()
          await db.end()
        },
      }
    },
  }
}

export const onPostgres = ours((pool) => createPostgresQueue({ pool, log }))

export const onRabbitmq = ours((_, { rabbitmq }) => createRabbitmqQueue({ url: rabbitmq, log }))
