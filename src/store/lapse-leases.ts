import type { Database } from './database.ts'
import { CLOCK_TOLERANCE_MS } from './tell-time.ts'
import { LAPSED, type MovedJob, moveSql } from './transition-job.ts'

/** Rows of one statement: more than ever run at once, unless everything has stopped at once. */
const BATCH = 100

/**
 * Takes jobs from workers that stopped renewing their leases: dead, frozen or cut off. They wait to be claimed
 * again, at once; whoever held them can write no more.
 *
 * @param actor who noticed
 * @param time what the database's clock has just shown, in milliseconds since 1970: one that was moved since has
 * ended no lease
 */
export async function lapseLeases(db: Database, actor: string, time?: number): Promise<MovedJob[]> {
  const { rows } = await db.query<MovedJob>(LAPSE, [actor, time])
  return rows
}

const LAPSE = moveSql(
  'lapse',
  `
    select id, fence, 'its worker stopped renewing the lease' as reason, $1 as actor, 0 as due, null::jsonb as error
    from workflow_jobs where status = 'PROCESSING' and ${LAPSED}
      and ($2::float8 is null or abs(extract(epoch from now()) * 1000 - $2::float8) < ${CLOCK_TOLERANCE_MS})
    order by lease_until limit ${BATCH} for update skip locked`,
)
