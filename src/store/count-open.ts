import type { Database } from './database.ts'

/** What there is to do, and what nobody has looked at. */
export interface OpenCounts {
  waiting: number
  running: number
  /** FAILED jobs that nobody has discarded. */
  failed: number
  deadLetters: number
}

export async function countOpen(db: Database): Promise<OpenCounts> {
  const { rows } = await db.query<OpenCounts & Record<string, number>>(
    `select
       (select count(*)::int from workflow_jobs where status in ('PENDING', 'RETRYING')) as waiting,
       (select count(*)::int from workflow_jobs where status = 'PROCESSING') as running,
       (select count(*)::int from workflow_jobs where status = 'FAILED' and discarded_at is null) as failed,
       (select count(*)::int from dead_letters where settled_at is null) as "deadLetters"`,
  )
  return rows[0] as OpenCounts
}
