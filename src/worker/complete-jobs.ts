import { setImmediate } from 'node:timers/promises'
import type { Database } from '../store/database.ts'
import { isDataError } from '../store/outages.ts'
import { type MovedJob, type Transition, transitionJob, transitionJobs } from '../store/transition-job.ts'

/**
 * Records that a job is done, and told, unless there is something to be shown.
 *
 * @returns undefined when it was no longer the attempt's to complete
 */
export type CompleteJob = (transition: Transition) => Promise<MovedJob | undefined>

interface Waiting {
  transition: Transition
  resolve(moved: MovedJob | undefined): void
  reject(error: unknown): void
}

/**
 * Lets jobs that end together share a statement and a commit: whoever comes while one is on its way goes with the
 * next. One that PostgreSQL refuses fails alone.
 */
export function completeTogether(db: Database): CompleteJob {
  let waiting: Waiting[] = []
  let busy = false

  async function flush(): Promise<void> {
    busy = true
    await setImmediate() // What ends in this turn of the loop goes along.
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      await record(batch)
    }
    busy = false
  }

  async function record(batch: readonly Waiting[]): Promise<void> {
    try {
      const moved = await transitionJobs(
        db,
        'complete',
        batch.map(({ transition }) => transition),
      )
      const byId = new Map(moved.map((job) => [job.id, job]))
      for (const { transition, resolve } of batch) resolve(byId.get(transition.jobId))
    } catch (error) {
      const single = batch.length === 1 || !isDataError(error)
      for (const { transition, resolve, reject } of batch) {
        if (single) reject(error)
        else await transitionJob(db, 'complete', transition).then(resolve, reject)
      }
    }
  }

  return (asked) =>
    new Promise((resolve, reject) => {
      waiting.push({ transition: { ...asked, told: asked.shows === undefined }, resolve, reject })
      if (!busy) void flush()
    })
}
