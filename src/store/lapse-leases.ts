import type { Database } from './database.ts'
import { LAPSED, type MovedJob, moveSql } from './transition-job.ts'

/** Rows of one statement: more than ever run at once, unless everything has stopped at once. */
const BATCH = 100

/**
 * Takes jobs from workers that stopped renewing their leases: dead, frozen or cut off. They wait to be claimed
 * again, at once; whoever held them can write no more.
 *
 * @param actor who noticed
 */
export async function lapseLeases(db: Database, actor: string): Promise<MovedJob[]> {
  const { rows } = await db.query<MovedJob>(LAPSE, [actor])
  return rows
}

const LAPSE = moveSql(
  'lapse',
  `
    select id, fence, 'its worker stopped renewing the lease' as reason, $1 as actor, 0 as due, null::jsonb as error
    from workflow_jobs where status = 'PROCESSING' and ${LAPSED}
    order by lease_until limit ${BATCH} for update skip locked`,
)
