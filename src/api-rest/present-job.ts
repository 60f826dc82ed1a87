import type * as v from 'valibot'
import type { Review } from '../review/review.ts'
import type { JobView } from '../store/get-job.ts'
import type { JobEvent } from '../store/list-events.ts'
import type * as schemas from './schemas.ts'

/** A job as listings show it. */
export function presentJobSummary(job: JobView): v.InferInput<typeof schemas.JobSummary> {
  const { title, branch, base, head, sender } = job.request
  return {
    id: job.id,
    type: job.type,
    status: job.status,
    forge: job.forge,
    repository: job.repository,
    organisation: job.organisation,
    pullRequest: job.pullRequest,
    title,
    branch,
    base,
    head,
    sender,
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
  }
}

/** A job with its review, once that is posted. */
export function presentJob(
  job: JobView & { review: Review | null; reviewUrl: string | null },
): v.InferInput<typeof schemas.Job> {
  const { review, reviewUrl } = job
  return { ...presentJobSummary(job), findings: review?.findings ?? [], review, reviewUrl }
}

export function presentEvent(event: JobEvent): v.InferInput<typeof schemas.JobEvent> {
  const { jobId: _, at, ...rest } = event
  return { ...rest, at: at.toISOString() }
}
