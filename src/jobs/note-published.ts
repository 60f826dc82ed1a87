import type { Database } from '../store/database.ts'
import { deferJobs } from '../store/defer-jobs.ts'
import { isDatabaseUnavailable } from '../store/outages.ts'
import type { WaitingJob } from '../store/take-due-jobs.ts'

/** Jobs that the queue has confirmed are published again after this, should it have lost them. */
const PUBLISHED_FOR_SECONDS = 3600

/** Well within the time after which a new row counts as forgotten. */
const GATHER_MS = 1_000

/** Notes in the rows that the queue has them. What is not noted is published again: no harm is done. */
export async function notePublished(db: Database, jobs: readonly WaitingJob[]): Promise<void> {
  await deferJobs(db, jobs, PUBLISHED_FOR_SECONDS).catch((error) => {
    if (!isDatabaseUnavailable(error)) throw error
  })
}

/** Gathers what was published for a second: by then most has been claimed, and needs no note any more. */
export interface PublishedNotes {
  add(jobs: readonly WaitingJob[]): void
  /** Notes what was gathered, and gathers no more. */
  close(): Promise<void>
}

export function gatherPublished(db: Database, onError: (error: unknown) => void): PublishedNotes {
  let gathered: WaitingJob[] = []
  let timer: NodeJS.Timeout | undefined
  let noting: Promise<void> = Promise.resolve()

  const note = () => {
    const jobs = gathered
    gathered = []
    timer = undefined
    if (jobs.length > 0) noting = noting.then(() => notePublished(db, jobs)).catch(onError)
  }

  return {
    add(jobs) {
      gathered.push(...jobs)
      timer ??= setTimeout(note, GATHER_MS).unref()
    },
    async close() {
      clearTimeout(timer)
      note()
      await noting
    },
  }
}
