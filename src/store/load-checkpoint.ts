import type { Database } from './database.ts'

/**
 * The result an earlier attempt of this run left for a stage.
 *
 * @returns undefined when there is none, or when it was written by another version of the stage
 */
export async function loadCheckpoint(
  db: Database,
  job: { id: string; run: number },
  stage: string,
  version: number,
): Promise<unknown> {
  const { rows } = await db.query<{ result: unknown }>(
    `select result from workflow_job_checkpoints where job_id = $1 and run = $2 and stage = $3 and version = $4`,
    [job.id, job.run, stage, version],
  )
  return rows[0]?.result
}
