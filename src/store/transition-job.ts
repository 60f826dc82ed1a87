import { isFinal, type JobStatus, LEASE_SECONDS, TRANSITIONS, type TransitionName } from '../jobs/job.ts'
import type { ForgeName, JobPayloads, JobTypeName } from '../jobs/review-request.ts'
import type { ErrorReport } from '../lib/errors.ts'
import type { Database } from './database.ts'
import { isToldOf, noteUntoldSql } from './note-untold.ts'

export interface Transition {
  jobId: string
  /** The fencing token of the attempt that acts; required for fenced transitions, compared wherever given. */
  fence?: string
  /** For the log of transitions: a sentence a person understands. */
  reason: string
  /** Who did it: a worker, an API key's name, a forge's account. */
  actor: string
  /** Milliseconds until the job may be claimed, for transitions that leave it waiting. */
  dueInMs?: number
  error?: ErrorReport
  /** What the forge is to show of it, where the row does not say it. Goes through JSON. */
  shows?: unknown
  /** The forge shows it already, or is to show nothing of it. */
  told?: boolean
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
  traceparent: string | null
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
 * Makes the named move if the row allows it.
 *
 * @returns the row as it is now, or undefined when the move was not allowed and nothing was written
 */
export async function transitionJob(
  db: Database,
  name: TransitionName,
  transition: Transition,
): Promise<MovedJob | undefined> {
  const [moved] = await transitionJobs(db, name, [transition])
  return moved
}

/**
 * Makes the named move for several jobs in one statement and one commit; what a row does not allow is left
 * out of the answer, and out of the database.
 */
export async function transitionJobs(
  db: Database,
  name: TransitionName,
  transitions: readonly Transition[],
): Promise<MovedJob[]> {
  if (TRANSITIONS[name].fenced && transitions.some(({ fence }) => fence === undefined)) {
    throw new TypeError(`transition ${name} needs a fencing token`)
  }
  const asked = transitions.map(({ jobId, fence, reason, actor, dueInMs, error, shows, told = false }) => {
    // As text: PostgreSQL stores any JSON that it does not have to read, half a surrogate pair included.
    return { id: jobId, fence, reason, actor, due: dueInMs, error, shows: JSON.stringify(shows), told }
  })
  const untold = isToldOf(name) && transitions.some(({ told }) => !told)
  const { rows } = await db.query<MovedJob>((untold ? MOVE_UNTOLD : MOVE)[name], [JSON.stringify(asked)])
  return rows
}

/**
 * The statement behind every change of `workflow_jobs.status`. It makes the named move for the rows of a
 * relation, moves their fencing tokens (so that whoever held a row before can write no more), and appends to
 * the transition log, all at once.
 *
 * @param asked SQL of the rows to move: id, fence (null: whichever), reason, actor, due (milliseconds), error
 * @param untold notes, too, that the forge is to be told; `asked` then has shows and told
 */
export function moveSql(name: TransitionName, asked: string, { untold = false } = {}): string {
  const { from, to, attempts } = TRANSITIONS[name]
  const begins = attempts === 'reset'
  const dueMs = to === 'PROCESSING' ? String(LEASE_SECONDS * 1000) : 'coalesce(a.due, 0)'
  const dueAt = isFinal(to) ? 'null::timestamptz' : `now() + ${dueMs} * interval '1 millisecond'`
  const keepsError = name === 'claim' || name === 'handBack'
  return `
  with asked as (${asked}
  ), before as (
    -- By an array: few rows are looked up, whatever the planner thinks of asked.
    select j.id, j.status, j.attempts from workflow_jobs j where j.id = any (array(select id from asked))
    order by j.id for update
  ), moved as (
    update workflow_jobs j set
      status = '${to}',
      fence = j.fence + 1,
      run = j.run + ${begins ? 1 : 0},
      attempts = ${begins ? 0 : `greatest(0, j.attempts + ${attempts})`},
      lapses = ${begins ? 0 : `j.lapses + ${name === 'lapse' ? 1 : 0}`},
      due_at = ${dueAt},
      ${to === 'PENDING' || to === 'RETRYING' ? `run_at = ${dueAt},` : ''}
      lease_until = ${to === 'PROCESSING' ? dueAt : 'null'},
      worker = ${to === 'PROCESSING' ? 'a.actor' : 'null'},
      ${begins ? 'stage = null, discarded_at = null,' : ''}
      progress = ${to === 'COMPLETED' ? 100 : begins ? 0 : 'j.progress'},
      error = ${keepsError ? 'j.error' : 'a.error'},
      started_at = ${begins ? 'null' : to === 'PROCESSING' ? 'coalesce(j.started_at, now())' : 'j.started_at'},
      finished_at = ${isFinal(to) ? 'now()' : 'null'},
      updated_at = now()
    from before, asked a
    where j.id = before.id and a.id = before.id
      and j.status in (${from.map((status) => `'${status}'`).join(', ')})
      and (a.fence is null or j.fence = a.fence)
      ${name === 'lapse' ? `and ${LAPSED}` : ''}
      ${name === 'cancel' || name === 'supersede' ? 'and j.intended_run is distinct from j.run' : ''}
    returning j.*, a.reason, a.actor, ${untold ? 'a.shows, a.told, ' : ''}before.status as from_status, greatest(before.attempts, j.attempts) as attempt
  ), logged as (
    insert into workflow_job_events (job_id, run, attempt, from_status, to_status, reason, actor)
    select id, run, ${begins ? 0 : 'attempt'}, from_status, status, reason, actor from moved
  )${untold ? `, untold as (${noteUntoldSql(name, 'moved')})` : ''}
  select id, type, version, forge, delivery_id as "deliveryId", status, run, attempts, lapses, fence, traceparent, payload
  from moved`
}

/** A lease that ends too far ahead was given by a clock that has been set back since. */
export const LAPSED = `(lease_until < now() or lease_until > now() + interval '${2 * LEASE_SECONDS} s')`

const ASKED = `
    select * from json_to_recordset($1::json) as a (
      id uuid, fence bigint, reason text, actor text, due bigint, error jsonb, shows text, told boolean)`

const MOVE = movesOf({ untold: false })
const MOVE_UNTOLD = movesOf({ untold: true })

function movesOf(options: { untold: boolean }): Record<TransitionName, string> {
  const moves = Object.keys(TRANSITIONS).map((name) => [
    name,
    moveSql(name as TransitionName, ASKED, options),
  ])
  return Object.fromEntries(moves) as Record<TransitionName, string>
}
