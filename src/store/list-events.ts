import type { JobStatus } from '../jobs/job.ts'
import type { Database } from './database.ts'

/** One line of a job's history: a change of status, or a stage that an attempt began. */
export interface JobEvent {
  /** Grows within a job; use it to resume a stream. */
  id: string
  jobId: string
  run: number
  attempt: number
  from: JobStatus | null
  to: JobStatus
  reason: string
  actor: string
  /** Null for a change of status. */
  stage: string | null
  /** Percent of the review done when the stage began; null for a change of status. */
  progress: number | null
  at: Date
}

/** Where a watcher of one job stands: the last event it was sent, '0' for none. */
export interface EventCursor {
  jobId: string
  after: string
}

/** The events of some jobs after each one's cursor, oldest first. Cursors are per job: ids of different jobs commit in any order. */
export async function listEvents(db: Database, cursors: readonly EventCursor[]): Promise<JobEvent[]> {
  const { rows } = await db.query<JobEvent>(
    `select e.id, e.job_id as "jobId", e.run, e.attempt, e.from_status as "from", e.to_status as "to", e.reason, e.actor, e.stage, e.progress, e.at
     from unnest($1::uuid[], $2::bigint[]) as c (job_id, after)
     join workflow_job_events e on e.job_id = c.job_id and e.id > c.after
     order by e.id`,
    [cursors.map((cursor) => cursor.jobId), cursors.map((cursor) => cursor.after)],
  )
  return rows
}
