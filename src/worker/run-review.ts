import type { Forge, ReviewStatus } from '../forges/forge.ts'
import { ensurePosting } from '../jobs/ensure-posting.ts'
import type { Log } from '../lib/log.ts'
import { reached } from '../lib/moments.ts'
import { runPipeline } from '../review/pipeline.ts'
import { getJob } from '../store/get-job.ts'
import { markTold } from '../store/mark-told.ts'
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
import { verdictOnRecord } from './verdict-on-record.ts'
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
  /** Of an end without a review: one that was posted has shown its own verdict. */
  let toShow: ReviewStatus | undefined

  const tell = async (end: AttemptEnd): Promise<void> => {
    if (end.how === 'handed-back' || (end.how === 'completed' && !toShow)) return
    const says = await statusOf(end)
    if (says) {
      await status.end(says)
      // While posting is stopped, nothing was shown.
      if (forge.status) await ensurePosting(runner.db)
    }
    // Of a job that is lost, there may be more to tell than this attempt knows.
    if (says || end.how !== 'lost') await markTold(runner.db, job)
  }

  async function statusOf(end: AttemptEnd): Promise<ReviewStatus | undefined> {
    switch (end.how) {
      case 'retried':
        return sayWaiting(end.error, end.inMs)
      case 'failed':
        return sayFailed(end.error)
      case 'completed':
        return toShow
    }
    if (end.how === 'handed-back' || !(await isOnShow())) return undefined
    switch (end.how) {
      case 'already-reviewed':
        return sayAlreadyReviewed(end.reason, await verdictOnRecord(runner.db, job))
      case 'superseded':
        return saySuperseded(end.reason)
      case 'cancelled':
        return sayCancelled(end.reason)
      case 'lost': {
        // Taken over by another worker, it goes on; ended by somebody, its worker says so.
        const now = await getJob(runner.db, job.id)
        if (now?.run !== job.run) return undefined
        if (now.status === 'CANCELLED') return sayCancelled()
        if (now.status === 'SUPERSEDED') return saySuperseded()
      }
    }
  }

  /** Whether the forge shows something of this job that must not stay there as it is. */
  async function isOnShow(): Promise<boolean> {
    if (status.hasShown() || job.attempts > 1) return true
    return isShown((await getJob(runner.db, job.id))?.stage ?? null)
  }

  return {
    async run() {
      log.info(
        { attempt: job.attempts, run: job.run },
        `claimed: ${job.payload.repository} ${job.payload.head}`,
      )
      reached('job-claimed', { jobId: job.id, repository: job.payload.repository })
      const result = await runPipeline(job.payload, reviewPorts(attempt, forge, status, runner, log), log)
      if (result.did === 'finish') {
        if (forge.status && (result.verdict !== null || (await isOnShow()))) {
          toShow = saySkipped(result)
          // It waits like a review does.
          await ensurePosting(runner.db)
        }
        return result.reason
      }
      const { length } = result.review.findings
      return length === 1 ? '1 finding' : `${length} findings`
    },
    shows: () => toShow,
    tell,
  }
}
