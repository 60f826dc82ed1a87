import { setTimeout as sleep } from 'node:timers/promises'
import type { Delivery } from '../jobs/review-request.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { isDataError, isHeldUp } from '../store/outages.ts'
import type { RecordedDelivery } from '../store/record-deliveries.ts'

/** Rows of one insert. Measured: larger ones save nothing more. */
const MAX_ROWS = 64

/**
 * Inserts at the same time: while one waits for the disk, the other fills. The second only leaves when this many
 * wait: with fewer, larger inserts cost less than shorter waits are worth.
 */
const MAX_IN_FLIGHT = 2
const WORTH_A_SECOND = 24

/** Deliveries that may wait: more than a second's worth at twice the measured peak, a few MB. */
const MAX_WAITING = 4_096

const RETRY_MS = 100

export interface DeliveryBatcher {
  /**
   * Resolves once the delivery's rows are committed; with nothing for one that asked for no review.
   *
   * @throws KodusError DELIVERY_REFUSED (the data are at fault), DATABASE_UNAVAILABLE (not within the
   * deadline, though it may still be written) or HANDLER_BUSY (too many wait already)
   */
  add(delivery: Delivery): Promise<RecordedDelivery | undefined>
  /** Resolves when nothing is being written or announced any more. */
  settled(): Promise<void>
}

interface Entry {
  delivery: Delivery
  succeed(recorded: RecordedDelivery | undefined): void
  fail(error: KodusError): void
  /** Its caller has an answer, if only that it took too long. */
  settled: boolean
  /** Why it is not written yet, after a failed try. */
  trouble?: unknown
}

/**
 * Lets many requests share one insert and one commit, without a timer: whoever comes while both slots are
 * taken goes with the next insert. One bad row never fails its neighbours.
 *
 * @param deadlineMs how long a delivery may take; within it, a failing database is tried again
 */
export function createDeliveryBatcher({
  record,
  announce,
  deadlineMs,
  log,
}: {
  record: (deliveries: readonly Delivery[]) => Promise<Map<string, RecordedDelivery>>
  /** Told of every commit. Nobody waits for it: what it does not get through, the outbox does. */
  announce: (recorded: RecordedDelivery[]) => Promise<void>
  deadlineMs: number
  log: Log
}): DeliveryBatcher {
  const waiting = new Set<Entry>()
  const running = new Set<Promise<void>>()
  let inFlight = 0
  let pumping = false

  const track = (work: Promise<void>) => {
    running.add(work)
    void work.finally(() => running.delete(work))
  }

  const announceAll = (recorded: RecordedDelivery[]) =>
    announce(recorded).catch((error) => log.error({ err: error }, 'jobs were not announced'))

  const pump = () => {
    pumping = false
    while (inFlight < MAX_IN_FLIGHT && waiting.size >= (inFlight === 0 ? 1 : WORTH_A_SECOND)) {
      inFlight += 1
      track(
        write(takeBatch(waiting)).finally(() => {
          inFlight -= 1
          pumpSoon()
        }),
      )
    }
  }

  /** When all that has arrived by now is there, so that it leaves together. */
  const pumpSoon = () => {
    if (pumping) return
    pumping = true
    setImmediate(pump)
  }

  const write = async (batch: Entry[]): Promise<void> => {
    for (let rest = batch; rest.length > 0; rest = rest.filter((entry) => !entry.settled)) {
      try {
        const recorded = await record(rest.map((entry) => entry.delivery))
        for (const entry of rest) entry.succeed(recorded.get(entry.delivery.jobId))
        return track(announceAll([...recorded.values()]))
      } catch (error) {
        if (isDataError(error)) return divide(rest, error)
        if (isHeldUp(error) && rest.length > 1) return separate(rest)
        for (const entry of rest) entry.trouble = error
        await sleep(RETRY_MS)
      }
    }
  }

  /** Nobody waits for the one that is held up, nor does the next insert. */
  const separate = (batch: readonly Entry[]): void => {
    for (const entry of batch) track(write([entry]))
  }

  const divide = async (batch: Entry[], error: unknown): Promise<void> => {
    const middle = Math.ceil(batch.length / 2)
    if (middle < batch.length) {
      await write(batch.slice(0, middle))
      await write(batch.slice(middle))
    } else batch[0]?.fail(refused(error))
  }

  return {
    add: (delivery) =>
      new Promise((resolve, reject) => {
        if (waiting.size >= MAX_WAITING) return reject(busy())
        const settle = () => {
          clearTimeout(deadline)
          waiting.delete(entry)
          entry.settled = true
        }
        const entry: Entry = {
          delivery,
          settled: false,
          succeed: (recorded) => {
            settle()
            resolve(recorded)
          },
          fail: (error) => {
            settle()
            reject(error)
          },
        }
        const deadline = setTimeout(() => entry.fail(unavailable(deadlineMs, entry.trouble)), deadlineMs)
        waiting.add(entry)
        pumpSoon()
      }),
    settled: async () => {
      while (running.size > 0) await Promise.allSettled(running)
    },
  }
}

/** The oldest that wait, each delivery once: its duplicate goes next, and finds it written. */
function takeBatch(waiting: Set<Entry>): Entry[] {
  const batch = new Map<string, Entry>()
  for (const entry of waiting) {
    if (batch.size === MAX_ROWS) break
    if (batch.has(entry.delivery.jobId)) continue
    batch.set(entry.delivery.jobId, entry)
    waiting.delete(entry)
  }
  return [...batch.values()]
}

/** Without PostgreSQL's own message, and without the error as a cause: both quote the value. */
function refused(error: unknown): KodusError {
  const state = error instanceof Error && 'code' in error ? ` (SQLSTATE ${error.code})` : ''
  return new KodusError('DELIVERY_REFUSED', `PostgreSQL refuses a value in it${state}.`, {
    help: 'Correct the webhook. Sending the same one again will not help.',
  })
}

function unavailable(deadlineMs: number, cause: unknown): KodusError {
  const because = cause === undefined ? 'it does not answer' : messageOf(cause)
  return new KodusError(
    'DATABASE_UNAVAILABLE',
    `PostgreSQL did not commit within ${deadlineMs} ms: ${because}`,
    {
      help: 'Is it up, and reachable at DATABASE_URL? GET /ready tells.',
      retryability: 'transient',
      cause,
    },
  )
}

function busy(): KodusError {
  return new KodusError('HANDLER_BUSY', `${MAX_WAITING} webhooks wait for PostgreSQL already.`, {
    help: 'Send it again later. If this happens often, look at what slows PostgreSQL down.',
    retryability: 'transient',
  })
}
