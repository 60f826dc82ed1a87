import { publishRecorded } from '../jobs/publish-jobs.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { Delivery } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { intakeRecorded } from '../lib/telemetry/catalogue.ts'
import type { DatabasePool } from '../store/database.ts'
import { isDataError } from '../store/outages.ts'
import { recordDeliveries } from '../store/record-deliveries.ts'

/**
 * Writes the row of a delivery that was accepted while PostgreSQL was away, and publishes its job.
 *
 * @throws KodusError DELIVERY_REFUSED (permanent) when its data are at fault; anything else may pass
 */
export async function recordIntake(
  delivery: Delivery,
  { db, queue, log }: { db: DatabasePool; queue: JobQueue; log: Log },
): Promise<void> {
  const recorded = await recordDeliveries(db, [delivery], queue.outboxDelayMs).catch((error: unknown) => {
    if (!isDataError(error)) throw error
    throw new KodusError('DELIVERY_REFUSED', 'PostgreSQL refuses a value in a delivery that was accepted.', {
      help: '`kodus jobs dead` lists it. Correct what sent it; sending the same one again will not help.',
    })
  })
  intakeRecorded.add({})
  const { jobId, deliveryId } = delivery
  log.info({ jobId, deliveryId }, 'recorded a delivery from the intake queue')
  await publishRecorded({ db, queue }, recorded.values())
}
