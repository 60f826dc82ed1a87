import type { Database } from './database.ts'
import type { Redelivery } from './redelivery.ts'

/** Says what came of asking for a delivery. */
export async function recordRedelivery(
  db: Database,
  { forge, deliveryId }: Pick<Redelivery, 'forge' | 'deliveryId'>,
  outcome: 'requested' | 'refused',
  detail: string | null,
): Promise<void> {
  await db.query(
    `update redeliveries set outcome = $3, detail = $4, requests = requests + 1, requested_at = now(),
       updated_at = now() where forge = $1 and delivery_id = $2`,
    [forge, deliveryId, outcome, detail],
  )
}
