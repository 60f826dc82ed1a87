import type * as v from 'valibot'
import type { Review } from '../review/review.ts'
import type { JobView } from '../store/get-job.ts'
import type { JobEvent } from '../store/list-events.ts'
import type * as schemas from './schemas.ts'

/** A job as listings show it. */
export function presentJobSummary(job: JobView): v.InferInput<typeof schemas.JobSummary> {
  return {
    id: job.id,
    type: job.type,
    status: job.status,
    forge: job.forge,
    repository: job.repository,
    organisation: job.organisation,
    pullRequest: job.pullRequest,
    ...presentPayload(job),
    deliveryId: job.deliveryId,
    run: job.run,
    attempts: job.attempts,
    stage: job.stage,
    progress: job.progress,
    error: job.error,
    createdAt: job.createdAt.toISOString(),
    updatedAt: job.updatedAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    discardedAt: job.discardedAt?.toISOString() ?? null,
  }
}

function presentPayload(job: JobView) {
  const noReview = { title: null, branch: null, base: null, head: null }
  switch (job.type) {
    case 'code-review': {
      const { title, branch, base, head, sender } = job.payload
      return { title, branch, base, head, command: null, sender }
    }
    case 'command':
      return { ...noReview, command: job.payload.command, sender: job.payload.sender }
    default:
      // Recorded by a newer component.
      return { ...noReview, command: null, sender: null }
  }
}

/** A job with its review, once that is posted. */
export function presentJob(
  job: JobView & { review: Review | null; reviewUrl: string | null },
): v.InferInput<typeof schemas.Job> {
  const review = job.review && presentReview(job.review)
  return { ...presentJobSummary(job), findings: review?.findings ?? [], review, reviewUrl: job.reviewUrl }
}

/** What is for people to read; the rest of a review is there for the next one. */
function presentReview(review: Review): v.InferInput<typeof schemas.Review> {
  const { base, head, since, files, findings, carried, fixed, returned, notes, model, fetchedBytes } = review
  return {
    base,
    head,
    since,
    files: { ...files, unchanged: files.unchanged ?? 0 },
    findings,
    carried,
    fixed,
    returned,
    forgotten: review.forgotten ?? [],
    notes,
    model,
    fetchedBytes,
  }
}

export function presentEvent(event: JobEvent): v.InferInput<typeof schemas.JobEvent> {
  const { jobId: _, at, ...rest } = event
  return { ...rest, at: at.toISOString() }
}
