import type { Database } from './database.ts'

/**
 * Puts off the moment at which waiting jobs are published again. Used after a confirmed publish (the queue
 * has them now) and for jobs this build does not know. A job that has moved on meanwhile is left alone.
 */
export async function deferJobs(db: Database, jobIds: readonly string[], seconds: number): Promise<void> {
  await db.query(
    `update workflow_jobs set due_at = greatest(due_at, now() + $2 * interval '1 second')
     where id = any($1) and status in ('PENDING', 'RETRYING')`,
    [jobIds, seconds],
  )
}
