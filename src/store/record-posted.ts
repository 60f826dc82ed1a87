import type { Database } from './database.ts'

/**
 * Says that a run's review is at the forge, and where.
 *
 * @returns false when the attempt no longer holds the job: another will find the review by its marker
 */
export async function recordPosted(
  db: Database,
  job: { id: string; run: number; fence: string },
  url: string | null,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update reviews r set posted_at = now(), url = $3 from workflow_jobs j
     where j.id = $1 and j.fence = $2 and j.status = 'PROCESSING' and r.job_id = j.id and r.run = j.run`,
    [job.id, job.fence, url],
  )
  return rowCount === 1
}
