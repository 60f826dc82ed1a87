import type { DeliveryLog } from '../jobs/delivery-log.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { sweepDeliveries } from '../jobs/sweep-deliveries.ts'
import type { Log } from '../lib/log.ts'
import { repeat } from '../lib/repeat.ts'
import { claimTurn } from '../store/claim-turn.ts'
import type { DatabasePool } from '../store/database.ts'

/** Between two sweeps of the whole installation, whichever worker has the turn. */
const EVERY_SECONDS = 300

/** Between two looks at whose turn it is. */
const LOOK_MS = 30_000

/** Asks the forge every few minutes for deliveries that it could not hand over, and has them sent again. */
export function watchDeliveries(
  forge: ForgeName,
  deliveries: DeliveryLog,
  { db, log }: { db: DatabasePool; log: Log },
): { stop(): Promise<void> } {
  const sweep = async (signal: AbortSignal) => {
    if (!(await claimTurn(db, `sweep deliveries of ${forge}`, EVERY_SECONDS))) return
    const { settled, asked, unread, open, interrupted } = await sweepDeliveries(
      { db, forge, log: deliveries },
      signal,
    )
    for (const { deliveryId, event, failure, outcome, detail } of [...settled, ...asked]) {
      const lost = outcome === 'refused' || outcome === 'given-up'
      const facts = { forge, deliveryId, event, failure, detail }
      log[lost ? 'warn' : 'info'](facts, `a delivery that had failed: ${outcome}`)
    }
    for (const { source, reason } of unread) log.warn({ forge }, `cannot sweep ${source}: ${reason}`)
    if (asked.length > 0) log.info({ forge, asked: asked.length, open }, 'swept failed deliveries')
    if (interrupted) throw interrupted
  }
  return repeat(`cannot sweep the deliveries of ${forge}`, LOOK_MS, sweep, log)
}
