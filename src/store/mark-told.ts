import type { Database } from './database.ts'

/**
 * Says that the forge was told of the move that ended an attempt, whoever made it.
 *
 * @param job with the fencing token that it had before that move: what became of it since is left to be told
 */
export async function markTold(db: Database, job: { id: string; run: number; fence: string }): Promise<void> {
  await db.query('delete from untold_jobs where job_id = $1 and run = $2 and fence = $3', [
    job.id,
    job.run,
    job.fence,
  ])
}
