import type { Verdict } from '../forges/forge.ts'
import { postableReview } from '../review/postable-review.ts'
import type { Finding, Review } from '../review/review.ts'
import type { Database } from '../store/database.ts'
import { recallReviews } from '../store/recall-reviews.ts'
import type { JobOf } from '../store/transition-job.ts'

/**
 * What another job's review of the same commit has found. A check that ends without it would hide it: the newest one
 * of a commit counts.
 */
export async function verdictOnRecord(db: Database, job: JobOf<'code-review'>): Promise<Verdict | undefined> {
  const { last } = await recallReviews<Review, Finding>(db, job)
  if (last?.review.head !== job.payload.head) return undefined
  return postableReview(last.review, { jobId: last.jobId, run: 1 }).verdict
}
