import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'
import { REDELIVERY_COLUMNS, type Redelivery } from './redelivery.ts'

/**
 * Ends the cases that have come to an end: the delivery has arrived after all, or what was asked for has not
 * failed again within `graceSeconds`; or the forge no longer keeps what it would have to send.
 *
 * @returns them
 */
export async function settleRedeliveries(
  db: Database,
  forge: ForgeName,
  { graceSeconds, keptSeconds }: { graceSeconds: number; keptSeconds: number },
): Promise<Redelivery[]> {
  const { rows } = await db.query<Redelivery>(
    `with cases as (
       select forge, delivery_id,
         exists (select from deliveries d where d.forge = r.forge and d.delivery_id = r.delivery_id)
           or (outcome = 'requested' and requested_at < now() - $2 * interval '1 second') as arrived,
         failed_at < now() - $3 * interval '1 second' as expired
       from redeliveries r where forge = $1 and outcome in ('found', 'requested')
     )
     update redeliveries r set updated_at = now(),
       outcome = case when arrived then 'recovered' else 'given-up' end
     from cases c where r.forge = c.forge and r.delivery_id = c.delivery_id and (arrived or expired)
     returning ${REDELIVERY_COLUMNS}`,
    [forge, graceSeconds, keptSeconds],
  )
  return rows
}
