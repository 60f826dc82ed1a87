import type { Database } from './database.ts'

/** Keeps a stage's result for the attempts that follow. A stale attempt writes nothing. */
export async function saveCheckpoint(
  db: Database,
  job: { id: string; fence: string },
  checkpoint: { stage: string; version: number; result: unknown },
): Promise<void> {
  await db.query(
    `insert into workflow_job_checkpoints (job_id, run, stage, version, result)
     select id, run, $3, $4, $5 from workflow_jobs
     where id = $1 and fence = $2 and status = 'PROCESSING'
     on conflict (job_id, run, stage) do update set version = excluded.version, result = excluded.result`,
    [job.id, job.fence, checkpoint.stage, checkpoint.version, JSON.stringify(checkpoint.result)],
  )
}
