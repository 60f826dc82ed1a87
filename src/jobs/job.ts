/**
 * The life of a job. PostgreSQL's row is the truth; this file says which moves it may make, and
 * `store/transition-job.ts` is the only code that makes them.
 *
 *   PENDING → PROCESSING → COMPLETED | FAILED | CANCELLED | SUPERSEDED
 *   PROCESSING → RETRYING → PROCESSING      a failure that may pass
 *   PROCESSING → PENDING                    handed back by a worker that stops
 *   FAILED | CANCELLED → PENDING            replayed by a person, as a new run
 */
export const JOB_STATUSES = [
  'PENDING',
  'PROCESSING',
  'RETRYING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'SUPERSEDED',
] as const

export type JobStatus = (typeof JOB_STATUSES)[number]

interface TransitionRule {
  from: readonly JobStatus[]
  to: JobStatus
  /** Only the attempt that holds the row may do it: the fencing token is compared. */
  fenced: boolean
  /** What it does to the number of attempts used up; `'reset'` begins a new run. */
  attempts: 1 | 0 | -1 | 'reset'
}

export const TRANSITIONS = {
  claim: { from: ['PENDING', 'RETRYING'], to: 'PROCESSING', fenced: false, attempts: 1 },
  complete: { from: ['PROCESSING'], to: 'COMPLETED', fenced: true, attempts: 0 },
  retry: { from: ['PROCESSING'], to: 'RETRYING', fenced: true, attempts: 0 },
  fail: { from: ['PROCESSING'], to: 'FAILED', fenced: true, attempts: 0 },
  /** A stopping worker, or our own infrastructure failing: costs no attempt. */
  handBack: { from: ['PROCESSING'], to: 'PENDING', fenced: true, attempts: -1 },
  /** The lease ran out: its worker died, froze or was cut off. Has a cap of its own, costs no attempt. */
  lapse: { from: ['PROCESSING'], to: 'RETRYING', fenced: false, attempts: -1 },
  supersede: { from: ['PENDING', 'RETRYING', 'PROCESSING'], to: 'SUPERSEDED', fenced: false, attempts: 0 },
  cancel: { from: ['PENDING', 'RETRYING', 'PROCESSING'], to: 'CANCELLED', fenced: false, attempts: 0 },
  replay: { from: ['FAILED', 'CANCELLED'], to: 'PENDING', fenced: false, attempts: 'reset' },
} as const satisfies Record<string, TransitionRule>

export type TransitionName = keyof typeof TRANSITIONS

/** Seconds a claim holds without a renewal. A dead worker is noticed within this. */
export const LEASE_SECONDS = 30

/** Renewals come at a third of the lease, so that two may be missed. */
export const RENEW_EVERY_MS = (LEASE_SECONDS * 1000) / 3

/** Lapsed leases a run may have before it is failed: past this, the job is what kills its workers. */
export const MAX_LAPSES = 5

export function isFinal(status: JobStatus): boolean {
  return status === 'COMPLETED' || status === 'FAILED' || status === 'CANCELLED' || status === 'SUPERSEDED'
}
