import type { FailedDelivery } from '../jobs/delivery-log.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/**
 * Remembers, of what the forge says it has sent, what we do not know, so that it is asked for; once for each `since`:
 * whatever asked for nothing (a comment among people) is unknown for ever.
 *
 * @returns how many there are that nobody had noted
 */
export async function noteLostDeliveries(
  db: Database,
  forge: ForgeName,
  sent: readonly FailedDelivery[],
  since: Date,
): Promise<number> {
  const { rowCount } = await db.query(
    `insert into redeliveries as known (forge, delivery_id, attempt_id, source, event, failed_at, failure)
     select distinct on ("deliveryId") $1, "deliveryId", "attemptId", source, event, "failedAt", failure
     from json_to_recordset($2::json) as s ("deliveryId" text, "attemptId" text, source text, event text,
       "failedAt" timestamptz, failure text)
     where not exists (select from deliveries d where d.forge = $1 and d.delivery_id = s."deliveryId")
     order by "deliveryId", "failedAt" desc
     on conflict (forge, delivery_id) do update set attempt_id = excluded.attempt_id, source = excluded.source,
       failed_at = excluded.failed_at, failure = excluded.failure, outcome = 'found', updated_at = now()
     where known.outcome <> 'found' and (known.requested_at is null or known.requested_at < $3)`,
    [forge, JSON.stringify(sent), since],
  )
  return rowCount ?? 0
}
