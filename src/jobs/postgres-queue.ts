import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { within } from '../lib/within.ts'
import { announceJobs } from '../store/announce-jobs.ts'
import type { DatabasePool } from '../store/database.ts'
import { listenForJobs } from '../store/listen-for-jobs.ts'
import { takeDueJobs } from '../store/take-due-jobs.ts'
import type { Consumer, JobMessage, JobQueue } from './queue.ts'

export interface PostgresQueueOptions {
  pool: DatabasePool
  /** The job types this build knows: others are left for those that do. */
  types: readonly string[]
  log: Log
}

const PUBLISH_TIMEOUT_MS = 2_000
const POLL_MS = 1_000
const LONGEST_WAIT_MS = 5_000
const STOP_TIMEOUT_MS = 2_000

/**
 * The queue in PostgreSQL: the rows are the queue, and a consumer takes those that are due. Woken by a
 * notification for each batch, and looking by itself every second, so that a lost one stalls nothing.
 */
export function createPostgresQueue({ pool, types, log }: PostgresQueueOptions): JobQueue {
  let outage: string | undefined
  const consumers: Consumer[] = []

  /** Runs a query, remembers whether it went through, and logs an outage once. */
  async function ask<Result>(query: Promise<Result>): Promise<Result> {
    try {
      const result = await query
      if (outage) log.info('the queue in PostgreSQL can be reached again')
      outage = undefined
      return result
    } catch (error) {
      if (!outage) log.warn(`the queue in PostgreSQL cannot be reached: ${messageOf(error)}`)
      outage = messageOf(error)
      throw error
    }
  }

  return {
    technology: 'postgres',
    outboxDelayMs: 0,
    isUp: () => outage === undefined,

    async publish() {
      try {
        await ask(within(PUBLISH_TIMEOUT_MS, announceJobs(pool), 'no answer'))
      } catch (cause) {
        throw new KodusError(
          'QUEUE_UNAVAILABLE',
          `PostgreSQL did not take the message: ${messageOf(cause)}`,
          {
            help: 'Check that the database runs and that DATABASE_URL reaches it.',
            retryability: 'transient',
            cause,
          },
        )
      }
    },

    async consume({ slots, onJob }) {
      const take = (limit: number) => ask(takeDueJobs(pool, { types, limit }))
      const consumer = startConsumer({ slots, onJob, take, log }, (ring) => listenForJobs(pool, ring, log))
      consumers.push(consumer)
      return consumer
    },

    close: async () => void (await Promise.all(consumers.map((consumer) => consumer.stop()))),
  }
}

interface ConsumerOptions {
  slots: number
  onJob(message: JobMessage): Promise<void>
  /** Takes up to `limit` due jobs; rejects while the database is away. */
  take(limit: number): Promise<readonly JobMessage[]>
  log: Log
}

function startConsumer(
  { slots, onJob, take, log }: ConsumerOptions,
  listen: (ring: () => void) => { close(): Promise<void> },
): Consumer {
  const bell = createBell()
  const listener = listen(bell.ring)
  let inHand = 0
  let stopping = false
  let stopped = false

  async function work(message: JobMessage): Promise<void> {
    inHand += 1
    try {
      await onJob(message)
    } catch (error) {
      log.error({ err: error, jobId: message.jobId }, 'taking a job failed')
    }
    inHand -= 1
    bell.ring()
  }

  async function run(): Promise<void> {
    let wait = POLL_MS
    while (!stopping) {
      if (inHand < slots) {
        try {
          const messages = await take(slots - inHand)
          if (!stopped) for (const { jobId, type, version } of messages) void work({ jobId, type, version })
          wait = POLL_MS
        } catch {
          wait = Math.min(wait * 2, LONGEST_WAIT_MS)
        }
      }
      await bell.heard(wait)
    }
  }

  const running = run()
  return {
    // Jobs being taken at this moment are still handed over: left alone, they would wait for their hold to end.
    async stop() {
      stopping = true
      bell.ring()
      await settledWithin(STOP_TIMEOUT_MS, running)
      stopped = true
      await listener.close()
    },
  }
}

/** A ring is remembered until it is heard. */
function createBell() {
  let rung = false
  let wake = () => {}
  return {
    ring(): void {
      rung = true
      wake()
    },
    async heard(withinMs: number): Promise<void> {
      if (!rung) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, withinMs)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      rung = false
    },
  }
}
