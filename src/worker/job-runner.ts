import type { Forge } from '../forges/forge.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import type { Log } from '../lib/log.ts'
import type { Model } from '../models/model.ts'
import type { DatabasePool } from '../store/database.ts'
import type { Attempt } from './attempt.ts'
import type { CompleteJob } from './complete-jobs.ts'

/** What a worker runs its jobs with. */
export interface JobRunner {
  db: DatabasePool
  complete: CompleteJob
  /** Where jobs go that this worker itself asks for. */
  queue: JobQueue
  forges: Partial<Record<ForgeName, Forge>>
  model: Model | undefined
  /** This worker's name, in leases and in the log of transitions. */
  worker: string
  log: Log
  /** The attempts under way, so that a stopping worker can hand them back. */
  attempts: Set<Attempt>
  /** Aborted when the worker stops taking jobs. */
  stopping: AbortSignal
}
