import { setImmediate } from 'node:timers/promises'
import type { JobTaker } from '../jobs/queue.ts'
import { type RunningLimits, SUSPECT_AFTER_LAPSES } from '../store/choose-fairly.ts'
import { claimJobs } from '../store/claim-jobs.ts'
import type { MovedJob } from '../store/transition-job.ts'
import type { JobRunner } from './job-runner.ts'
import { runJob } from './run-job.ts'

export interface TakeOptions {
  slots: number
  /** The job types this build knows. */
  types: readonly string[]
  limits: RunningLimits
}

/**
 * How a worker takes jobs: the fairest ones for its free slots. One that is suspected of killing its workers runs
 * when all others here have ended, and nothing beside it: whoever it takes down, it takes down alone.
 *
 * @param inHand what runs, from the claim to the record; kept up to date here
 */
export function takeJobs(
  runner: JobRunner,
  inHand: Set<Promise<void>>,
  { slots, types, limits }: TakeOptions,
): JobTaker<MovedJob> {
  const unsuspected = new Set<Promise<void>>()
  let suspectInHand = false

  return {
    slots,
    async claim(count) {
      if (suspectInHand) return 'later'
      const claimed = await claimJobs(runner.db, runner.worker, { types, limits, count, withSuspect: true })
      suspectInHand = claimed.some(isSuspect)
      return claimed
    },

    async run(job) {
      const suspect = isSuspect(job)
      const running = runJob(job, runner, suspect ? emptied(unsuspected) : undefined)
      inHand.add(running)
      if (!suspect) unsuspected.add(running)
      await running.finally(() => {
        inHand.delete(running)
        unsuspected.delete(running)
        if (suspect) suspectInHand = false
      })
    },
  }
}

function isSuspect(job: MovedJob): boolean {
  return job.lapses >= SUSPECT_AFTER_LAPSES
}

/** Resolves when none of them runs any more. */
async function emptied(running: ReadonlySet<Promise<void>>): Promise<void> {
  await setImmediate() // What was claimed together has all been started then.
  while (running.size > 0) await Promise.allSettled(running)
}
