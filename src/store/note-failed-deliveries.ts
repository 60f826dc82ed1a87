import type { FailedDelivery } from '../jobs/delivery-log.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/**
 * Remembers what the forge says has failed; a newer failed attempt of a known delivery replaces the older.
 *
 * @returns how many of them were not known
 */
export async function noteFailedDeliveries(
  db: Database,
  forge: ForgeName,
  failures: readonly FailedDelivery[],
): Promise<number> {
  const { rowCount } = await db.query(
    `insert into redeliveries as known (forge, delivery_id, attempt_id, source, event, failed_at, failure)
     select distinct on ("deliveryId") $1, "deliveryId", "attemptId", source, event, "failedAt", failure
     from json_to_recordset($2::json) as f ("deliveryId" text, "attemptId" text, source text, event text,
       "failedAt" timestamptz, failure text)
     order by "deliveryId", "failedAt" desc
     on conflict (forge, delivery_id) do update set attempt_id = excluded.attempt_id, source = excluded.source,
       failed_at = excluded.failed_at, failure = excluded.failure, outcome = 'found', updated_at = now()
     where excluded.attempt_id <> known.attempt_id and excluded.failed_at >= known.failed_at`,
    [forge, JSON.stringify(failures)],
  )
  return rowCount ?? 0
}
