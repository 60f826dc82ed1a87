import { RENEW_EVERY_MS } from '../jobs/job.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { DatabasePool } from '../store/database.ts'
import { renewLease } from '../store/renew-lease.ts'
import type { MovedJob } from '../store/transition-job.ts'

/** Why an attempt was told to stop. */
type StopReason = 'lease-lost' | 'deadline' | 'worker-stops'

/** One try at a job, from its claim to whatever ends it. */
export interface Attempt {
  readonly job: MovedJob
  /** Aborted with a KodusError whose code is the stop reason in capitals. */
  readonly signal: AbortSignal
  stop(reason: StopReason): void
  /** Begins the time that its work may take. */
  limit(deadlineMs: number): void
  /** Ends the renewals. */
  end(): void
}

/**
 * Keeps a claimed job's lease alive. The renewal's answer is how cancelling, superseding and a takeover
 * reach a running attempt: when the row is no longer ours, or its work is no longer wanted, the attempt is
 * aborted. A database that does not answer aborts nothing: the lease simply runs out there, and what this
 * attempt writes is refused.
 */
export function startAttempt(
  db: DatabasePool,
  job: MovedJob,
  {
    whySuperseded,
    log,
  }: { whySuperseded: (signal: AbortSignal) => Promise<KodusError | undefined>; log: Log },
): Attempt {
  const controller = new AbortController()
  const stop = (reason: StopReason) => controller.abort(stopError(reason))
  let deadline: NodeJS.Timeout | undefined

  const renewal = setInterval(async () => {
    try {
      if (!(await renewLease(db, job.id, job.fence))) return stop('lease-lost')
      const reason = await whySuperseded(controller.signal)
      if (reason) controller.abort(reason)
    } catch (error) {
      log.warn(`could not renew the lease, or learn whether the review is still wanted: ${messageOf(error)}`)
    }
  }, RENEW_EVERY_MS)

  return {
    job,
    signal: controller.signal,
    stop,
    limit(deadlineMs) {
      deadline = setTimeout(() => stop('deadline'), deadlineMs)
    },
    end() {
      clearInterval(renewal)
      clearTimeout(deadline)
    },
  }
}

function stopError(reason: StopReason): KodusError {
  switch (reason) {
    case 'lease-lost':
      return new KodusError(
        'LEASE_LOST',
        'The job was cancelled, superseded, or taken over by another worker.',
        {
          help: "Nothing to do: the job's events say which.",
        },
      )
    case 'deadline':
      return new KodusError('DEADLINE_EXCEEDED', 'The job took longer than its type allows.', {
        help: 'Make the change smaller, or look at the stage the job stopped in.',
        retryability: 'transient',
      })
    case 'worker-stops':
      return new KodusError('WORKER_STOPS', 'The worker was asked to stop.', {
        help: 'Nothing to do: another worker takes the job.',
        retryability: 'transient',
      })
  }
}
