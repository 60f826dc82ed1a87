import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'
import { REDELIVERY_COLUMNS, type Redelivery } from './redelivery.ts'

/** Failed deliveries that it is time to ask for, oldest first: at once, then after twice the wait each time. */
export async function dueRedeliveries(
  db: Database,
  forge: ForgeName,
  {
    firstWaitSeconds,
    longestWaitSeconds,
    limit,
  }: { firstWaitSeconds: number; longestWaitSeconds: number; limit: number },
): Promise<Redelivery[]> {
  const { rows } = await db.query<Redelivery>(
    `select ${REDELIVERY_COLUMNS} from redeliveries r
     where forge = $1 and outcome = 'found' and (requests = 0 or requested_at <
       now() - least($3, $2 * power(2, least(requests - 1, 20))) * interval '1 second')
     order by failed_at, delivery_id limit $4`,
    [forge, firstWaitSeconds, longestWaitSeconds, limit],
  )
  return rows
}
