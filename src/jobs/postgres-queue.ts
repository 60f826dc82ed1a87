import { setImmediate } from 'node:timers/promises'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import { within } from '../lib/within.ts'
import { announceJobs } from '../store/announce-jobs.ts'
import type { DatabasePool } from '../store/database.ts'
import { listenForJobs } from '../store/listen-for-jobs.ts'
import type { Consumer, JobQueue, JobTaker } from './queue.ts'
import { createSlots } from './slots.ts'

export interface PostgresQueueOptions {
  pool: DatabasePool
  log: Log
}

const PUBLISH_TIMEOUT_MS = 2_000
const POLL_MS = 1_000
const STOP_TIMEOUT_MS = 2_000

/**
 * The queue in PostgreSQL: the rows are the queue, and a consumer claims what waits. Woken by a notification for
 * each batch, and looking by itself every second, so that a lost one stalls nothing.
 */
export function createPostgresQueue({ pool, log }: PostgresQueueOptions): JobQueue {
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

    async consume(taker) {
      const consumer = startConsumer(taker, log, (ring) => listenForJobs(pool, ring, log))
      consumers.push(consumer)
      return consumer
    },

    depth: async () => undefined,

    close: async () => void (await Promise.all(consumers.map((consumer) => consumer.stop()))),
  }
}

function startConsumer<Job>(
  taker: JobTaker<Job>,
  log: Log,
  listen: (ring: () => void) => { close(): Promise<void> },
): Consumer {
  const stopping = new AbortController()
  const slots = createSlots(taker, stopping.signal, log)
  const bell = createBell()
  const listener = listen(bell.ring)
  let turned = performance.now()

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      turned = performance.now()
      await setImmediate() // Slots that become free in this turn of the loop are filled by one claim.
      const free = slots.free()
      const started = free > 0 ? await slots.fill(free, bell.ring) : 0
      // A pull request has one job running: what was not among these may be now.
      const more = started !== 'later' && started > 0 && started < free
      if (!more && !stopping.signal.aborted) await bell.heard(POLL_MS)
    }
  }

  const running = run()
  return {
    // Jobs being claimed at this moment are still run: left alone, they would wait for their lease to lapse.
    async stop() {
      stopping.abort()
      bell.ring()
      await settledWithin(STOP_TIMEOUT_MS, running)
      await listener.close()
    },
    sinceTurnMs: () => performance.now() - turned,
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
