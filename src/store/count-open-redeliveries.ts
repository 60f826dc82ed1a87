import type { ForgeName } from '../jobs/review-request.ts'
import type { Database } from './database.ts'

/**
 * How many failed deliveries of a forge have neither arrived nor been given up, and how many of these were asked
 * for and have not failed again.
 */
export async function countOpenRedeliveries(
  db: Database,
  forge: ForgeName,
): Promise<{ open: number; requested: number }> {
  const { rows } = await db.query<{ open: number; requested: number }>(
    `select count(*)::int as open, count(*) filter (where outcome = 'requested')::int as requested
     from redeliveries where forge = $1 and outcome in ('found', 'requested')`,
    [forge],
  )
  return rows[0] ?? { open: 0, requested: 0 }
}
