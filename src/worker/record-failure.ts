import { asKodusError, type KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { DatabasePool } from '../store/database.ts'
import { type MovedJob, type Transition, transitionJob } from '../store/transition-job.ts'
import { retryDelayMs } from './retry-delay.ts'
import type { AttemptEnd } from './work.ts'

interface FailedAttempt {
  db: DatabasePool
  job: MovedJob
  worker: string
  maxAttempts: number
  log: Log
}

/** Decides what a failure means for the job, in the one place where retries are decided, and records it. */
export async function recordFailure(
  failed: FailedAttempt,
  signal: AbortSignal,
  thrown: unknown,
): Promise<AttemptEnd> {
  const { db, job, worker, log } = failed
  // Whatever a library makes of an abort, the reason for it is what happened.
  const error = asKodusError(signal.aborted ? signal.reason : thrown)
  const { code } = error
  if (code === 'LEASE_LOST') {
    log.warn({ code }, error.message)
    return { how: 'lost' }
  }

  const { name, says, level, end, ...rest } = decide(error, failed)
  const move = { jobId: job.id, fence: job.fence, actor: worker, reason: sentence(error), ...rest }
  try {
    const moved = await transitionJob(db, name, move)
    // What is no failure needs no stack.
    const detail = level === 'info' ? { code } : { err: error, code }
    if (moved) log[level](detail, says)
    else log.warn({ code }, 'failed, but the job was no longer ours')
    return moved ? end : { how: 'lost' }
  } catch (storeError) {
    // The row keeps its lease; when that lapses, another worker takes the job. Nothing is lost.
    log.error(`could not record a failure (${code}): ${messageOf(storeError)}`)
    return { how: 'handed-back' }
  }
}

interface Decision extends Pick<Transition, 'dueInMs' | 'error'> {
  name: 'complete' | 'supersede' | 'handBack' | 'retry' | 'fail'
  says: string
  level: 'info' | 'warn' | 'error'
  end: AttemptEnd
}

function decide(error: KodusError, { job, maxAttempts }: FailedAttempt): Decision {
  const { code, message } = error
  if (code === 'ALREADY_REVIEWED') {
    const end = { how: 'already-reviewed', reason: message } as const
    return { name: 'complete', level: 'info', says: `completed: ${message}`, end }
  }
  if (code === 'SUPERSEDED') {
    const end = { how: 'superseded', reason: message } as const
    return { name: 'supersede', level: 'info', says: `superseded: ${message}`, end }
  }
  if (code === 'WORKER_STOPS') {
    const end = { how: 'handed-back' } as const
    return { name: 'handBack', level: 'info', says: 'handed back: this worker stops', end }
  }
  if (code === 'DATABASE_UNAVAILABLE') {
    const end = { how: 'handed-back' } as const
    const says = 'handed back: the database failed'
    return { name: 'handBack', dueInMs: 5_000, level: 'warn', says, end }
  }
  if (error.retryability === 'transient' && job.attempts < maxAttempts) {
    const dueInMs = error.retryAfterMs ?? retryDelayMs(job.attempts)
    const says = `attempt ${job.attempts} of ${maxAttempts} failed: ${message}`
    const end = { how: 'retried', error, inMs: dueInMs } as const
    return { name: 'retry', dueInMs, error: error.report(), level: 'warn', says, end }
  }
  const end = { how: 'failed', error } as const
  return { name: 'fail', error: error.report(), level: 'error', says: `failed: ${message}`, end }
}

function sentence(error: KodusError): string {
  return `${error.code}: ${error.message}`
}
