import type { Database } from './database.ts'

/** Says which stage a running attempt has begun, and how much is done (0–100). A stale attempt writes nothing. */
export async function recordProgress(
  db: Database,
  job: { id: string; fence: string },
  stage: string,
  progress: number,
): Promise<void> {
  await db.query(
    `update workflow_jobs set stage = $3, progress = $4, updated_at = now()
     where id = $1 and fence = $2 and status = 'PROCESSING'`,
    [job.id, job.fence, stage, progress],
  )
}
