import type { Database } from './database.ts'

/** How often this run was handed back for a failure of this code. */
export async function countHandBacks(
  db: Database,
  job: { id: string; run: number },
  code: string,
): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from workflow_job_events
     where job_id = $1 and run = $2 and from_status = 'PROCESSING' and to_status = 'PENDING'
       and starts_with(reason, $3)`,
    [job.id, job.run, `${code}:`],
  )
  return rows[0]?.count ?? 0
}
