import type { Finding, Review } from '../review.ts'

/** What a review leaves open: all that it says, and what was said before and is still true. */
export function openIn({ findings, carried, returned }: Review): Finding[] {
  return [...findings, ...returned, ...carried]
}

/** What the next review follows on: what is open, and what people told us to forget, which is there as well. */
export function followedFrom(review: Review): Finding[] {
  const followed = [...openIn(review), ...(review.forgotten ?? [])]
  return [...new Map(followed.map((finding) => [finding.id, finding])).values()]
}
