import type { Log } from '../lib/log.ts'
import { repeat } from '../lib/repeat.ts'
import type { Database } from '../store/database.ts'
import { takeDueJobs } from '../store/take-due-jobs.ts'
import { publishJobs } from './publish-jobs.ts'
import type { JobQueue } from './queue.ts'

const BATCH = 100

export interface DispatcherOptions {
  db: Database
  queue: JobQueue
  /** The job types this build knows: others are left for those that do. */
  types: readonly string[]
  log: Log
  /** Milliseconds between two looks at the table. */
  everyMs?: number
}

/**
 * Publishes every job whose moment has come: rows whose first publish was lost (outbox), that wait to be
 * tried again, or whose worker stopped renewing its lease. Runs in every worker beside a broker; each takes
 * rows that no other has. Either store may be away: the rows are still due when it is back.
 */
export function startDispatcher(options: DispatcherOptions): { stop(): Promise<void> } {
  const { db, queue, types, log, everyMs = 1_000 } = options
  const dispatch = async (signal: AbortSignal): Promise<void> => {
    let taken = BATCH
    while (taken === BATCH && queue.isUp() && !signal.aborted) {
      const due = await takeDueJobs(db, { types, limit: BATCH })
      taken = (await publishJobs({ db, queue }, due)) ? due.length : 0
    }
  }
  return repeat('due jobs are not being published', everyMs, dispatch, log)
}
