import { asKodusError, type KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { DatabasePool } from '../store/database.ts'
import { type MovedJob, type Transition, transitionJob } from '../store/transition-job.ts'
import { retryDelayMs } from './retry-delay.ts'

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
): Promise<void> {
  const { db, job, worker, maxAttempts, log } = failed
  // Whatever a library makes of an abort, the reason for it is what happened.
  const error = asKodusError(signal.aborted ? signal.reason : thrown)
  const move = (name: 'fail' | 'retry' | 'handBack' | 'supersede', rest: Partial<Transition> = {}) =>
    transitionJob(db, name, {
      jobId: job.id,
      fence: job.fence,
      actor: worker,
      reason: sentence(error),
      ...rest,
    })

  try {
    if (error.code === 'LEASE_LOST') {
      log.warn({ code: error.code }, error.message)
    } else if (error.code === 'SUPERSEDED') {
      await move('supersede')
      log.info(`superseded: ${error.message}`)
    } else if (error.code === 'WORKER_STOPS') {
      await move('handBack')
      log.info('handed back: this worker stops')
    } else if (error.code === 'DATABASE_UNAVAILABLE') {
      await move('handBack', { dueInMs: 5_000 })
      log.warn({ err: error }, 'handed back: the database failed')
    } else if (error.retryability === 'transient' && job.attempts < maxAttempts) {
      const dueInMs = error.retryAfterMs ?? retryDelayMs(job.attempts)
      await move('retry', { dueInMs, error: error.report() })
      log.warn(
        { err: error, code: error.code },
        `attempt ${job.attempts} of ${maxAttempts} failed: ${error.message}`,
      )
    } else {
      await move('fail', { error: error.report() })
      log.error({ err: error, code: error.code }, `failed: ${error.message}`)
    }
  } catch (storeError) {
    // The row keeps its lease; when that lapses, another worker takes the job. Nothing is lost.
    log.error(`could not record a failure (${error.code}): ${messageOf(storeError)}`)
  }
}

function sentence(error: KodusError): string {
  return `${error.code}: ${error.message}`
}
