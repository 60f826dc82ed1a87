import { KodusError } from '../lib/errors.ts'
import { reached } from '../lib/moments.ts'
import type { Database } from '../store/database.ts'
import { deferJobs } from '../store/defer-jobs.ts'
import { isDatabaseUnavailable } from '../store/outages.ts'
import type { RecordedDelivery } from '../store/record-deliveries.ts'
import type { WaitingJob } from '../store/take-due-jobs.ts'
import type { JobQueue } from './queue.ts'

/** Confirmed jobs are published again after this, should the queue have lost them. */
const PUBLISHED_FOR_SECONDS = 3600

/**
 * Publishes jobs whose rows are committed, and notes in the rows that the queue has them. Either store being
 * away is no error here, and the queue has logged it: `due_at` brings the rows back, at worst a second time.
 *
 * @returns whether the queue took them
 */
export async function publishJobs(
  { db, queue }: { db: Database; queue: JobQueue },
  jobs: readonly WaitingJob[],
): Promise<boolean> {
  if (jobs.length === 0) return true
  try {
    await queue.publish(jobs.map(({ jobId, type, version }) => ({ jobId, type, version })))
    reached('jobs-published', { count: jobs.length })
  } catch (error) {
    if (error instanceof KodusError && error.code === 'QUEUE_UNAVAILABLE') return false
    throw error
  }
  const rowsAreTheQueue = queue.outboxDelayMs === 0
  if (rowsAreTheQueue) return true
  await deferJobs(db, jobs, PUBLISHED_FOR_SECONDS).catch((error) => {
    if (!isDatabaseUnavailable(error)) throw error
  })
  return true
}

/** Publishes the jobs of deliveries that were just recorded, as far as they wait for a worker. */
export async function publishRecorded(
  stores: { db: Database; queue: JobQueue },
  recorded: Iterable<RecordedDelivery>,
): Promise<void> {
  const waiting: WaitingJob[] = []
  for (const { jobId, status, job } of recorded) {
    // A duplicate's job may wait too, replayed by it or not; publishing one twice does no harm.
    if (status === 'PENDING' && job) waiting.push({ jobId, ...job })
  }
  await publishJobs(stores, waiting)
}
