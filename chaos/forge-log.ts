import type { Pull } from './stories.ts'

/** A review that the forge has accepted: submitted, for everybody to see. */
export interface Posted {
  /** `owner/name#number`. */
  pull: string
  head: string
  /** The job and run that its hidden marker names. */
  jobId: string
  run: number
}

const MARKER = /^<!-- kodus:review:([0-9a-f-]{36}),(\d+),/

/** By what stands at the forge itself: what a request was answered says nothing of whether it was done. */
export function postedReviews(pulls: readonly Pull[]): { posted: Posted[]; pending: number } {
  const all = pulls.flatMap(({ handle }) =>
    handle.reviews().map(({ state, body, commit_id }) => {
      const [, jobId = '', run = '0'] = MARKER.exec(body) ?? []
      return {
        state,
        pull: `${handle.repository.fullName}#${handle.number}`,
        head: commit_id,
        jobId,
        run: Number(run),
      }
    }),
  )
  return {
    posted: all.filter(({ state }) => state !== 'PENDING').map(({ state: _, ...posted }) => posted),
    pending: all.filter(({ state }) => state === 'PENDING').length,
  }
}
