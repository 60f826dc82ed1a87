import type { Finding, Review } from '../review.ts'

/** What earlier reviews of the same pull request left behind. */
export interface EarlierReviews {
  /** The newest one that was posted. Its `findings`, `carried` and `returned` are what was open at its head. */
  last: { jobId: string; review: Review } | undefined
  /** Every finding that was ever posted here, by its id. */
  said: ReadonlyMap<string, Finding>
  /** Ids of findings that a person told us to forget. */
  dismissed: ReadonlySet<string>
}
