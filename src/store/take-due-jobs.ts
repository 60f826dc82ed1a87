import { newestVersion } from '../jobs/job-types.ts'
import type { JobMessage } from '../jobs/queue.ts'
import type { Database } from './database.ts'

/** A job that waits to be run, and the token its row had: whoever claims it takes a new one. */
export interface WaitingJob extends JobMessage {
  fence: string
}

/** How long a taken job is left alone before it counts as due again, should its taker die. */
const HOLD_SECONDS = 10

/**
 * Takes waiting jobs of which the queue is to be told, oldest first, and keeps other takers off them for a few
 * seconds. Rows that another taker holds are skipped, so that many can take at once. Types and versions this
 * build does not know are left for one that does.
 */
export async function takeDueJobs(
  db: Database,
  { types, limit }: { types: readonly string[]; limit: number },
): Promise<WaitingJob[]> {
  const { rows } = await db.query<WaitingJob>(
    `with due as (
      select id from workflow_jobs
      where due_at <= now() and status in ('PENDING', 'RETRYING')
        and version <= ($1::jsonb ->> type)::int
      order by due_at limit $2
      for update skip locked
    )
    update workflow_jobs j set due_at = now() + $3 * interval '1 second'
    from due where j.id = due.id
    returning j.id as "jobId", j.type, j.version, j.fence`,
    [
      JSON.stringify(Object.fromEntries(types.map((type) => [type, newestVersion(type)]))),
      limit,
      HOLD_SECONDS,
    ],
  )
  return rows
}
