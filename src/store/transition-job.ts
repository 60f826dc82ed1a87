import { isFinal, type JobStatus, LEASE_SECONDS, TRANSITIONS, type TransitionName } from '../jobs/job.ts'
import type { ForgeName, JobPayloads, JobTypeName } from '../jobs/review-request.ts'
import type { ErrorReport } from '../lib/errors.ts'
import type { Database } from './database.ts'

export interface Transition {
  jobId: string
  /** The fencing token of the attempt that acts; required for fenced transitions, compared wherever given. */
  fence?: string
  /** For the log of transitions: a sentence a person understands. */
  reason: string
  /** Who did it: a worker, an API key's name, a forge's account. */
  actor: string
  /** Milliseconds until the job wants to be taken, for transitions that leave it waiting. */
  dueInMs?: number
  error?: ErrorReport
}

/** A job's row after a transition, as the worker needs it. `fence` is opaque: a bigint in text. */
interface Row {
  id: string
  version: number
  forge: ForgeName
  deliveryId: string
  status: JobStatus
  run: number
  attempts: number
  lapses: number
  fence: string
}

/**
 * The row with its payload, told apart by `type`. Whoever moves a job it cannot run (the API) may meet other
 * types and newer payloads than these.
 */
export type MovedJob = {
  [Type in JobTypeName]: Row & { type: Type; payload: JobPayloads[Type] }
}[JobTypeName]

/** A job of one type. */
export type JobOf<Type extends JobTypeName> = Extract<MovedJob, { type: Type }>

/**
 * The only writer of `workflow_jobs.status`. Makes the named move if the row allows it, moves the fencing
 * token (so that whoever held the row before can write no more), and appends to the transition log in the
 * same statement.
 *
 * @returns the row as it is now, or undefined when the move was not allowed and nothing was written
 */
export async function transitionJob(
  db: Database,
  name: TransitionName,
  { jobId, fence, reason, actor, dueInMs = 0, error }: Transition,
): Promise<MovedJob | undefined> {
  const { from, to, fenced, attempts } = TRANSITIONS[name]
  if (fenced && fence === undefined) throw new TypeError(`transition ${name} needs a fencing token`)
  const dueIn = to === 'PROCESSING' ? LEASE_SECONDS * 1000 : isFinal(to) ? null : dueInMs

  const { rows } = await db.query<MovedJob>(
    `with before as (
      select id, status, attempts from workflow_jobs where id = $1 for update
    ), moved as (
      update workflow_jobs j set
        status = $2,
        fence = j.fence + 1,
        run = j.run + case when $3 = 'replay' then 1 else 0 end,
        attempts = case when $3 = 'replay' then 0 else greatest(0, j.attempts + $4) end,
        lapses = case $3 when 'replay' then 0 when 'lapse' then j.lapses + 1 else j.lapses end,
        due_at = now() + $5 * interval '1 millisecond',
        lease_until = case when $2 = 'PROCESSING' then now() + $5 * interval '1 millisecond' end,
        worker = case when $2 = 'PROCESSING' then $6 end,
        stage = case when $3 = 'replay' then null else j.stage end,
        progress = case when $2 = 'COMPLETED' then 100 when $3 = 'replay' then 0 else j.progress end,
        error = case when $3 in ('claim', 'handBack') then j.error else $7::jsonb end,
        started_at = case when $3 = 'replay' then null when $2 = 'PROCESSING' then coalesce(j.started_at, now()) else j.started_at end,
        finished_at = case when $8 then now() end,
        updated_at = now()
      from before
      where j.id = before.id
        and j.status = any($9)
        and ($10::bigint is null or j.fence = $10)
        and ($3 <> 'lapse' or j.lease_until < now())
        and ($3 not in ('cancel', 'supersede') or j.intended_run is distinct from j.run)
      returning j.*, before.status as from_status, greatest(before.attempts, j.attempts) as attempt
    ), logged as (
      insert into workflow_job_events (job_id, run, attempt, from_status, to_status, reason, actor)
      select id, run, case when $3 = 'replay' then 0 else attempt end, from_status, status, $11, $6 from moved
    )
    select id, type, version, forge, delivery_id as "deliveryId", status, run, attempts, lapses, fence, payload
    from moved`,
    [
      jobId,
      to,
      name,
      attempts === 'reset' ? 0 : attempts,
      dueIn,
      actor,
      error ? JSON.stringify(error) : null,
      isFinal(to),
      from,
      fence ?? null,
      reason,
    ],
  )
  return rows[0]
}
