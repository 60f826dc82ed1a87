import type { Forge, Verdict } from '../forges/forge.ts'
import { ensurePosting } from '../jobs/ensure-posting.ts'
import type { Log } from '../lib/log.ts'
import { reached } from '../lib/moments.ts'
import { type PipelineResult, runPipeline } from '../review/pipeline.ts'
import { postableReview } from '../review/postable-review.ts'
import type { Finding, Review } from '../review/review.ts'
import { getJob } from '../store/get-job.ts'
import { recallReviews } from '../store/recall-reviews.ts'
import type { JobOf } from '../store/transition-job.ts'
import type { JobRunner } from './job-runner.ts'
import { isShown, reviewPorts } from './review-ports.ts'
import {
  sayAlreadyReviewed,
  sayCancelled,
  sayFailed,
  saySkipped,
  saySuperseded,
  sayWaiting,
} from './say-status.ts'
import { createStatusLine } from './status-line.ts'
import type { AttemptEnd, Work } from './work.ts'

/** The work of a `code-review` job: the pipeline, and what its pull request shows of it. */
export function reviewWork(
  attempt: { job: JobOf<'code-review'>; signal: AbortSignal },
  forge: Forge,
  runner: JobRunner,
  log: Log,
): Work {
  const { job } = attempt
  const status = createStatusLine(forge, job, log)
  let result: PipelineResult | undefined

  const tell = async (end: AttemptEnd): Promise<void> => {
    switch (end.how) {
      case 'retried':
        return status.end(sayWaiting(end.error, end.inMs))
      case 'failed':
        return status.end(sayFailed(end.error))
      case 'handed-back':
        return
      case 'completed':
        // A review that was posted has shown its own verdict.
        if (result?.did === 'finish' && (result.verdict !== null || (await isOnShow()))) {
          await status.end(saySkipped(result))
        }
        return
      case 'already-reviewed':
        if (await isOnShow()) await status.end(sayAlreadyReviewed(end.reason, await verdictOnRecord()))
        return
      case 'superseded':
        if (await isOnShow()) await status.end(saySuperseded(end.reason))
        return
      case 'cancelled':
        if (await isOnShow()) await status.end(sayCancelled(end.reason))
        return
      case 'lost': {
        // Taken over by another worker, it goes on; ended by somebody, nobody else would say so.
        const now = await getJob(runner.db, job.id)
        if (now?.run !== job.run || !(await isOnShow())) return
        if (now.status === 'CANCELLED') await status.end(sayCancelled())
        if (now.status === 'SUPERSEDED') await status.end(saySuperseded('a newer commit came'))
      }
    }
  }

  /** Whether the forge shows something of this job that must not stay there as it is. */
  async function isOnShow(): Promise<boolean> {
    if (status.hasShown() || job.attempts > 1) return true
    return isShown((await getJob(runner.db, job.id))?.stage ?? null)
  }

  /** A check that ends without it would hide it: the newest one of a commit counts. */
  async function verdictOnRecord(): Promise<Verdict | undefined> {
    const { last } = await recallReviews<Review, Finding>(runner.db, job)
    if (last?.review.head !== job.payload.head) return undefined
    return postableReview(last.review, { jobId: last.jobId, run: 1 }).verdict
  }

  return {
    async run() {
      log.info(
        { attempt: job.attempts, run: job.run },
        `claimed: ${job.payload.repository} ${job.payload.head}`,
      )
      reached('job-claimed', { jobId: job.id, repository: job.payload.repository })
      result = await runPipeline(job.payload, reviewPorts(attempt, forge, status, runner, log), log)
      if (result.did === 'finish') {
        // What is shown of it waits like a review does: nobody would come back to show it later.
        if (forge.status && (result.verdict !== null || (await isOnShow()))) await ensurePosting(runner.db)
        return result.reason
      }
      const { length } = result.review.findings
      return length === 1 ? '1 finding' : `${length} findings`
    },
    tell,
  }
}
