import { asKodusError, type KodusError } from '../lib/errors.ts'
import { countOpenRedeliveries } from '../store/count-open-redeliveries.ts'
import type { Database } from '../store/database.ts'
import { dueRedeliveries } from '../store/due-redeliveries.ts'
import { noteFailedDeliveries } from '../store/note-failed-deliveries.ts'
import { recordRedelivery } from '../store/record-redelivery.ts'
import type { Redelivery } from '../store/redelivery.ts'
import { settleRedeliveries } from '../store/settle-redeliveries.ts'
import type { DeliveryLog, FailureReport } from './delivery-log.ts'
import { ensurePosting } from './ensure-posting.ts'
import type { ForgeName } from './review-request.ts'

/** GitHub redelivers what is at most three days old. */
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
  /** Cases that have come to an end: `recovered` or `given-up`. */
  settled: Redelivery[]
  /** Deliveries that were asked for now, with what came of it. */
  asked: Redelivery[]
  /** Failed deliveries that have neither arrived nor been given up. */
  open: number
  /** Of these, those that were asked for and have not failed again: they may have arrived. */
  requested: number
  /** Hooks that could not be asked about. */
  unread: FailureReport['unread']
  /** Why not everything that is due was asked for: the forge did not answer, or limits the rate, or posting is stopped. */
  interrupted: KodusError | undefined
}

/**
 * Looks for deliveries that the forge could not hand over and has them sent again: GitHub itself tries once.
 * What is asked for twice arrives once: the delivery id is the same each time. A delivery that the forge
 * refuses to send does not keep the others from being sent.
 *
 * @param pauses whether one that keeps failing is asked for less and less often; a person who asks does not wait
 * @throws KodusError when the forge cannot tell what has failed
 */
export async function sweepDeliveries(
  { db, forge, log, pauses = true }: { db: Database; forge: ForgeName; log: DeliveryLog; pauses?: boolean },
  signal: AbortSignal,
): Promise<Sweep> {
  const since = new Date(Date.now() - KEPT_SECONDS * 1000)
  const { deliveries, unread } = await log.failedSince(since, signal)
  const found = await noteFailedDeliveries(db, forge, deliveries)
  const settled = await settleRedeliveries(db, forge, {
    graceSeconds: GRACE_SECONDS,
    keptSeconds: KEPT_SECONDS,
  })
  const due = await dueRedeliveries(db, forge, {
    firstWaitSeconds: pauses ? FIRST_WAIT_SECONDS : 0,
    longestWaitSeconds: pauses ? LONGEST_WAIT_SECONDS : 0,
    limit: MAX_ASKED,
  })
  const { asked, interrupted } = await askForAll({ db, log }, due, signal)
  return { found, settled, asked, ...(await countOpenRedeliveries(db, forge)), unread, interrupted }
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
    asked.push({ ...delivery, outcome, detail })
  }
  return { asked, interrupted: undefined }
}
