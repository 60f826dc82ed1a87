import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { JobTaker } from './queue.ts'

/** Between two claims while the database refuses them. */
const RETRY_MS = 1_000

/** A worker's slots: claims jobs for those that are free, and runs them. */
export interface Slots {
  free(): number
  /**
   * Claims for up to `count` slots and starts what it got. Through an outage of the database it tries on, so that a
   * worker that can do nothing also takes nothing.
   *
   * @param ended called for each job when it has run
   * @returns how many were started; `later` when none are taken until a running one has ended
   */
  fill(count: number, ended: () => void): Promise<number | 'later'>
  /** Milliseconds for which the claim under way has been tried; 0 while there is none. */
  claimingMs(): number
}

export function createSlots<Job>(
  { slots, claim, run }: JobTaker<Job>,
  stopping: AbortSignal,
  log: Log,
): Slots {
  let running = 0
  let claimingSince: number | undefined

  async function runOne(job: Job, ended: () => void): Promise<void> {
    try {
      await run(job)
    } catch (error) {
      log.error({ err: error }, 'running a job failed')
    }
    running -= 1
    ended()
  }

  async function claimWhenPossible(count: number): Promise<readonly Job[] | 'later'> {
    for (let known = ''; !stopping.aborted; ) {
      try {
        return await claim(count)
      } catch (error) {
        const message = messageOf(error)
        if (message !== known) log.warn(`cannot claim, trying on: ${message}`)
        known = message
        await sleep(RETRY_MS, undefined, { signal: stopping }).catch(() => {})
      }
    }
    return []
  }

  return {
    free: () => slots - running,
    async fill(count, ended) {
      claimingSince = performance.now()
      const jobs = await claimWhenPossible(count)
      claimingSince = undefined
      if (jobs === 'later') return 'later'
      running += jobs.length
      for (const job of jobs) void runOne(job, ended)
      return jobs.length
    },
    claimingMs: () => (claimingSince === undefined ? 0 : performance.now() - claimingSince),
  }
}
