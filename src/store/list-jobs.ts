import type { JobStatus } from '../jobs/job.ts'
import type { Database } from './database.ts'
import { JOB_COLUMNS, type JobView } from './get-job.ts'

export interface JobFilter {
  type?: string | undefined
  status?: JobStatus | undefined
  forge?: string | undefined
  repository?: string | undefined
  /** The code of the error it ended with, or waits with. */
  code?: string | undefined
  /** Only those that are FAILED and that nobody has discarded. */
  dead?: boolean | undefined
}

/** Where a page ended: the last row's moment of creation (microseconds, in text) and id. */
export interface JobCursor {
  createdAt: string
  id: string
}

/** One page of jobs, newest first. `next` is undefined on the last page. */
export async function listJobs(
  db: Database,
  { filter, after, limit }: { filter: JobFilter; after: JobCursor | undefined; limit: number },
): Promise<{ jobs: JobView[]; next: JobCursor | undefined }> {
  const { rows } = await db.query<JobView & { cursor: string }>(
    `select ${JOB_COLUMNS}, to_char(j.created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as cursor
     from workflow_jobs j
     where ($1::text is null or j.type = $1)
       and ($2::text is null or j.status = $2)
       and ($3::text is null or j.forge = $3)
       and ($4::text is null or j.repository = $4)
       and ($5::text is null or j.error ->> 'code' = $5)
       and ($6::boolean is not true or (j.status = 'FAILED' and j.discarded_at is null))
       and ($7::timestamptz is null or (j.created_at, j.id) < ($7, $8::uuid))
     order by j.created_at desc, j.id desc limit $9`,
    [
      filter.type ?? null,
      filter.status ?? null,
      filter.forge ?? null,
      filter.repository ?? null,
      filter.code ?? null,
      filter.dead ?? null,
      after?.createdAt ?? null,
      after?.id ?? null,
      limit + 1,
    ],
  )
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    jobs: page.map(({ cursor: _, ...job }) => job),
    next: last && { createdAt: last.cursor, id: last.id },
  }
}
