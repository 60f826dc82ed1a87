import type { Database } from './database.ts'
import { type MovedJob, transitionJob } from './transition-job.ts'

/**
 * Takes a job for one attempt: a new fencing token and a lease. A job whose lease ran out is first taken
 * from the worker that stopped renewing it, and the log of transitions says so.
 *
 * @returns the job, or undefined when it is not to be had (finished, running elsewhere, or gone)
 */
export async function claimJob(db: Database, jobId: string, worker: string): Promise<MovedJob | undefined> {
  const claim = () => transitionJob(db, 'claim', { jobId, actor: worker, reason: 'claimed' })
  const claimed = await claim()
  if (claimed) return claimed

  const lapsed = await transitionJob(db, 'lapse', {
    jobId,
    actor: worker,
    reason: 'its worker stopped renewing the lease',
  })
  return lapsed && claim()
}
