import type { ReviewStatus } from '../forges/forge.ts'
import type { KodusError } from '../lib/errors.ts'

/** What an attempt does, by the type of its job, and how it is told to the people who wait for it. */
export interface Work {
  /** @returns what was done, as a sentence for the job's history. Failures are thrown, as coded errors. */
  run(): Promise<string>
  /** What the forge is still to show of an attempt that ran. It goes into the record, for whoever tells it late. */
  shows?(): ReviewStatus | undefined
  /** Tells people how the attempt ended, when that is recorded. @throws why nobody was told: the record is what counts */
  tell(end: AttemptEnd): Promise<void>
}

export type AttemptEnd =
  | { how: 'completed' }
  /** Another job has reviewed the same commit. */
  | { how: 'already-reviewed'; reason: string }
  | { how: 'superseded'; reason: string }
  /** Its pull request is closed or merged. */
  | { how: 'cancelled'; reason: string }
  | { how: 'retried'; error: KodusError; inMs: number }
  | { how: 'failed'; error: KodusError }
  /** Another worker goes on with it. */
  | { how: 'handed-back' }
  /** The job is not this attempt's any more: its row says what became of it. */
  | { how: 'lost' }
