import { KodusError } from '../lib/errors.ts'
import { reached } from '../lib/moments.ts'
import type { Database } from '../store/database.ts'
import type { RecordedDelivery } from '../store/record-deliveries.ts'
import type { WaitingJob } from '../store/take-due-jobs.ts'
import { notePublished, type PublishedNotes } from './note-published.ts'
import type { JobQueue } from './queue.ts'

export interface PublishingStores {
  db: Database
  queue: JobQueue
  notes?: PublishedNotes
}

/**
 * Publishes jobs whose rows are committed, and notes in the rows that the queue has them. Either store being
 * away is no error here, and the queue has logged it: `due_at` brings the rows back, at worst a second time.
 *
 * @param stores `notes`: gathers what to note, where that may come a little later
 * @returns whether the queue took them
 */
export async function publishJobs(
  { db, queue, notes }: PublishingStores,
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
  if (notes) notes.add(jobs)
  else await notePublished(db, jobs)
  return true
}

/** Publishes the jobs of deliveries that were just recorded, as far as they wait for a worker. */
export async function publishRecorded(
  stores: PublishingStores,
  recorded: Iterable<RecordedDelivery>,
): Promise<void> {
  const waiting: WaitingJob[] = []
  for (const { jobId, status, job } of recorded) {
    // A duplicate's job may wait too, replayed by it or not; publishing one twice does no harm.
    if (status === 'PENDING' && job) waiting.push({ jobId, ...job })
  }
  await publishJobs(stores, waiting)
}
