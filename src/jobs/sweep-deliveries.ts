import { asKodusError, KodusError } from '../lib/errors.ts'
import { countOpenRedeliveries } from '../store/count-open-redeliveries.ts'
import type { Database, DatabasePool } from '../store/database.ts'
import { dueRedeliveries } from '../store/due-redeliveries.ts'
import { noteFailedDeliveries } from '../store/note-failed-deliveries.ts'
import { noteLostDeliveries } from '../store/note-lost-deliveries.ts'
import { recordRedelivery } from '../store/record-redelivery.ts'
import type { Redelivery } from '../store/redelivery.ts'
import { rolledBack } from '../store/rolled-back.ts'
import { settleRedeliveries } from '../store/settle-redeliveries.ts'
import type { DeliveryLog, DeliveryReport, SentDelivery } from './delivery-log.ts'
import { ensurePosting } from './ensure-posting.ts'
import type { ForgeName } from './review-request.ts'

/** GitHub keeps and redelivers what is at most three days old. */
const KEPT_SECONDS = 3 * 24 * 3600

/** A redelivery that has not failed after this has arrived: GitHub waits ten seconds for an answer. */
const GRACE_SECONDS = 120

/** One that fails again is asked for again after this, then after twice as long, and so on. */
const FIRST_WAIT_SECONDS = 300
const LONGEST_WAIT_SECONDS = 6 * 3600

/** In one sweep. GitHub lets nobody make more than 180 such requests a minute (900 points, 5 for each). */
const MAX_ASKED = 150

/** What a sweep found and did. */
export interface Sweep {
  /** Failures that no earlier sweep had seen. */
  found: number
  /** Deliveries that no earlier sweep had missed: the forge believes that they arrived. Null: nobody looked. */
  lost: number | null
  /** Cases that have come to an end: `recovered` or `given-up`. */
  settled: Redelivery[]
  /** Deliveries that were asked for now, with what came of it; in a dry run, that would have been. */
  asked: Redelivery[]
  /** Failed deliveries that have neither arrived nor been given up. */
  open: number
  /** Of these, those that were asked for and have not failed again: they may have arrived. */
  requested: number
  /** Hooks that could not be asked about. */
  unread: DeliveryReport['unread']
  /** Why not everything that is due was asked for: the forge did not answer, or limits the rate, or posting is stopped. */
  interrupted: KodusError | undefined
}

export interface SweepOptions {
  db: DatabasePool
  forge: ForgeName
  log: DeliveryLog
  /** Whether one that keeps failing is asked for less and less often; a person who asks does not wait. */
  pauses?: boolean
  /**
   * From then on, what our database does not know counts as failed, whatever the forge says: it was answered 202, and
   * is lost with the database that had it. Once for each such delivery: what asked for nothing leaves no trace here.
   */
  lostSince?: Date | undefined
  /** Finds out what there would be to do. Nothing is written, and nothing asked for. */
  dryRun?: boolean
}

/**
 * Looks for deliveries that the forge could not hand over and has them sent again: GitHub itself tries once.
 * What is asked for twice arrives once: the delivery id is the same each time. A delivery that the forge
 * refuses to send does not keep the others from being sent.
 *
 * @throws KodusError DELIVERIES_TOO_OLD; or when the forge cannot tell what has failed
 */
export async function sweepDeliveries(
  { db, log, dryRun = false, ...sweep }: SweepOptions,
  signal: AbortSignal,
): Promise<Sweep> {
  const { deliveries, unread } = await told(log, sweep.lostSince, signal)
  if (dryRun)
    return await rolledBack(db, async (db) => ({ ...(await plan({ db, ...sweep }, deliveries)), unread }))

  const { asked: due, ...planned } = await plan({ db, ...sweep }, deliveries)
  const { asked, interrupted } = await askForAll({ db, log }, due, signal)
  return { ...planned, asked, ...(await countOpenRedeliveries(db, sweep.forge)), unread, interrupted }
}

async function told(
  log: DeliveryLog,
  lostSince: Date | undefined,
  signal: AbortSignal,
): Promise<DeliveryReport> {
  const kept = new Date(Date.now() - KEPT_SECONDS * 1000)
  if (lostSince === undefined) return await log.failedSince(kept, signal)
  if (lostSince >= kept) return await log.sentSince(lostSince, signal)
  throw new KodusError(
    'DELIVERIES_TOO_OLD',
    `The forge keeps deliveries for three days, and ${lostSince.toISOString()} is longer ago.`,
    {
      help: 'Name a later time. What is older comes with the next push to its pull request, or when it is asked for there with `@kody review`.',
    },
  )
}

/** Writes down what was told, and chooses what to ask for: it is what a sweep does before it asks. */
async function plan(
  { db, forge, pauses = true, lostSince }: Omit<SweepOptions, 'db' | 'log'> & { db: Database },
  deliveries: readonly SentDelivery[],
): Promise<Omit<Sweep, 'unread'>> {
  const failed = deliveries.filter(({ arrived }) => !arrived)
  const found = await noteFailedDeliveries(db, forge, failed)
  const lost = lostSince ? await noteLostDeliveries(db, forge, deliveries, lostSince) : null
  const settled = await settleRedeliveries(db, forge, {
    graceSeconds: GRACE_SECONDS,
    keptSeconds: KEPT_SECONDS,
  })
  const asked = await dueRedeliveries(db, forge, {
    firstWaitSeconds: pauses ? FIRST_WAIT_SECONDS : 0,
    longestWaitSeconds: pauses ? LONGEST_WAIT_SECONDS : 0,
    limit: MAX_ASKED,
  })
  return { found, lost, settled, asked, ...(await countOpenRedeliveries(db, forge)), interrupted: undefined }
}

async function askForAll(
  { db, log }: { db: Database; log: DeliveryLog },
  due: readonly Redelivery[],
  signal: AbortSignal,
): Promise<Pick<Sweep, 'asked' | 'interrupted'>> {
  const asked: Redelivery[] = []
  for (const delivery of due) {
    const asking = ensurePosting(db).then(() => log.redeliver(delivery, signal))
    const refusal = await asking.then(() => undefined, asKodusError)
    // A network, a rate limit or an operator's stop is no answer to this delivery: the next sweep goes on here.
    if (refusal?.retryability === 'transient') return { asked, interrupted: refusal }
    const outcome = refusal ? 'refused' : 'requested'
    const detail = refusal ? `${refusal.code}: ${refusal.message}` : null
    await recordRedelivery(db, delivery, outcome, detail)
    asked.push({ ...delivery, outcome, detail, requests: delivery.requests + 1 })
  }
  return { asked, interrupted: undefined }
}
