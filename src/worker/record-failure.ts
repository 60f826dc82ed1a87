import { asKodusError, type KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { countHandBacks } from '../store/count-hand-backs.ts'
import type { DatabasePool } from '../store/database.ts'
import { type MovedJob, type Transition, transitionJob } from '../store/transition-job.ts'
import { retryDelayMs, toldDelayMs } from './retry-delay.ts'
import type { AttemptEnd } from './work.ts'

/** Between two tries of a job that cannot post. Resuming does not wait for it: see store/lift-stop.ts. */
const PARKED_MS = 60_000

const STORE_RETRY_MS = 5_000

/** A full disk is this machine's failure, for half an hour: past that, the repository may be what fills it. */
const DISK_RETRY_MS = 60_000
const MAX_DISK_HAND_BACKS = 30

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

  try {
    const { name, says, level, end, ...rest } = await decide(error, failed)
    const move = { jobId: job.id, fence: job.fence, actor: worker, reason: sentence(error), ...rest }
    const moved = await transitionJob(db, name, move)
    if (!moved && (await handBackCommitted(name, failed, error))) {
      log.info({ code }, 'handed back: its review was committed to in the meantime')
      return { how: 'handed-back' }
    }
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

/**
 * An attempt that is found to be superseded may commit to posting at the same moment: its pull request was opened
 * again, or its branch forced back. Then that is posted, by whoever takes the job next: at once, and not when the
 * lease has run out.
 *
 * @returns whether it was so
 */
async function handBackCommitted(
  refused: Decision['name'],
  { db, job, worker }: FailedAttempt,
  { message }: KodusError,
): Promise<boolean> {
  if (refused !== 'supersede' && refused !== 'cancel') return false
  const reason = `its review is committed to, and is posted: too late for "${message}"`
  const back = { jobId: job.id, fence: job.fence, actor: worker, reason }
  return (await transitionJob(db, 'handBack', back)) !== undefined
}

interface Decision extends Pick<Transition, 'dueInMs' | 'error'> {
  name: 'complete' | 'supersede' | 'cancel' | 'handBack' | 'retry' | 'fail'
  says: string
  level: 'info' | 'warn' | 'error'
  end: AttemptEnd
}

async function decide(error: KodusError, failed: FailedAttempt): Promise<Decision> {
  const { job, maxAttempts } = failed
  const { code, message } = error
  if (code === 'ALREADY_REVIEWED') {
    const end = { how: 'already-reviewed', reason: message } as const
    return { name: 'complete', level: 'info', says: `completed: ${message}`, end }
  }
  if (code === 'SUPERSEDED') {
    const end = { how: 'superseded', reason: message } as const
    return { name: 'supersede', level: 'info', says: `superseded: ${message}`, end }
  }
  if (code === 'PULL_REQUEST_CLOSED') {
    const end = { how: 'cancelled', reason: message } as const
    return { name: 'cancel', error: error.report(), level: 'info', says: `cancelled: ${message}`, end }
  }
  const handBack = await decideHandBack(error, failed)
  if (handBack) return { name: 'handBack', end: { how: 'handed-back' }, ...handBack }
  if (error.retryability === 'transient' && job.attempts < maxAttempts) {
    const { retryAfterMs: told } = error
    const dueInMs = told === undefined ? retryDelayMs(job.attempts) : toldDelayMs(told, job.attempts)
    const says = `attempt ${job.attempts} of ${maxAttempts} failed: ${message}`
    const end = { how: 'retried', error, inMs: dueInMs } as const
    return { name: 'retry', dueInMs, error: error.report(), level: 'warn', says, end }
  }
  const end = { how: 'failed', error } as const
  return { name: 'fail', error: error.report(), level: 'error', says: `failed: ${message}`, end }
}

/** What is no fault of the job's, nor of anybody it asks: it costs no attempt. */
async function decideHandBack(
  error: KodusError,
  { db, job }: FailedAttempt,
): Promise<Pick<Decision, 'dueInMs' | 'level' | 'says'> | undefined> {
  const { code, message } = error
  switch (code) {
    case 'WORKER_STOPS':
      return { level: 'info', says: 'handed back: this worker stops' }
    case 'POSTING_STOPPED':
      return { dueInMs: PARKED_MS, level: 'info', says: `handed back: ${message}` }
    case 'DATABASE_UNAVAILABLE':
      return { dueInMs: STORE_RETRY_MS, level: 'warn', says: 'handed back: the database failed' }
    case 'QUEUE_UNAVAILABLE':
      return { dueInMs: STORE_RETRY_MS, level: 'warn', says: 'handed back: the queue failed' }
  }
  if (isDiskFull(error) && (await countHandBacks(db, job, code)) < MAX_DISK_HAND_BACKS) {
    return { dueInMs: DISK_RETRY_MS, level: 'error', says: `handed back: ${message}` }
  }
}

/** As git says it (see lib/git/git-error.ts), or the file system. */
function isDiskFull({ code, retryability, cause }: KodusError): boolean {
  if (code === 'GIT_TOO_LARGE') return retryability === 'transient'
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT')
}

function sentence(error: KodusError): string {
  return `${error.code}: ${error.message}`
}
