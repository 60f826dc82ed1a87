import type { Database } from '../../src/store/database.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'

/** Limits that nothing reaches. */
export const NO_LIMITS = { perRepository: 100_000, perOrganisation: 100_000 }

/**
 * Claims one named job, which workers never do: they claim whichever is the fairest. One whose lease ran out is
 * first taken from its worker.
 *
 * @returns undefined when it is not to be had
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
