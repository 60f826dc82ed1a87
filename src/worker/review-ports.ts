import type { Forge } from '../forges/forge.ts'
import { postingStopped } from '../jobs/ensure-posting.ts'
import { abortable } from '../lib/abortable.ts'
import { KodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { reached } from '../lib/moments.ts'
import type { Finding, Review } from '../review/review.ts'
import type { ReviewPorts } from '../review/stage.ts'
import { superseded } from '../review/superseded.ts'
import { loadCheckpoint } from '../store/load-checkpoint.ts'
import { namingOutages } from '../store/outages.ts'
import { recallReviews } from '../store/recall-reviews.ts'
import { findIntent, type Intent, recordIntent } from '../store/record-intent.ts'
import { recordPosted } from '../store/record-posted.ts'
import { recordProgress } from '../store/record-progress.ts'
import { renewLease } from '../store/renew-lease.ts'
import { saveCheckpoint } from '../store/save-checkpoint.ts'
import type { JobOf } from '../store/transition-job.ts'
import type { JobRunner } from './job-runner.ts'
import { observeHead } from './request-review.ts'
import type { StatusLine } from './status-line.ts'

/** Whether a stage shows at the forge: those that only find out whether a review is wanted leave no trace. */
export function isShown(stage: string | null): boolean {
  return stage !== null && stage !== 'admit' && stage !== 'recall'
}

/** The review's ports over the stores. Everything it writes carries the attempt's fencing token. */
export function reviewPorts(
  { job, signal }: { job: JobOf<'code-review'>; signal: AbortSignal },
  forge: Forge,
  status: StatusLine,
  runner: JobRunner,
  log: Log,
): ReviewPorts {
  const { db } = runner
  const { repository, pullRequest: number, head } = job.payload

  const observe: ReviewPorts['observe'] = (pullRequest) => observeHead(runner, job, pullRequest)

  /** Webhooks of one second come in any order, and the last to come may be of an older head: the forge knows. */
  const isStillNewest = async () => {
    if (!forge.pullRequests || number === null) return false
    const known = await observe(await forge.pullRequests.get(repository, number, signal))
    return known.head === head && known.state === 'open'
  }

  return {
    jobId: job.id,
    run: job.run,
    forge,
    model: runner.model,
    signal,
    async progress(stage, percent) {
      await namingOutages(recordProgress(db, job, stage, percent))
      if (isShown(stage)) status.running(stage, percent)
    },
    recall: () => namingOutages(recallReviews<Review, Finding>(db, job)),
    observe,
    loadCheckpoint: (stage, version) => namingOutages(loadCheckpoint(db, job, stage, version)),
    saveCheckpoint: (stage, version, result) =>
      namingOutages(saveCheckpoint(db, job, { stage, version, result })),
    stillOurs: () => namingOutages(renewLease(db, job.id, job.fence)),
    async committed() {
      const known = await namingOutages(findIntent<Review>(db, job))
      return known && { ...known, posted: known.postedAt !== null }
    },
    async intend(review: Review) {
      // Posting shows a status of its own: nothing of ours may come after it.
      await abortable(status.settled(), signal)
      const intend = () => namingOutages(recordIntent(db, job, review, review))
      let intent = await intend()
      if (!intent.granted && intent.because === 'moved-on' && (await isStillNewest())) intent = await intend()
      if (!intent.granted) throw refusal(intent)
      reached('intent-committed', { jobId: job.id })
      return { review: intent.review, posted: intent.postedAt !== null }
    },
    async posted(url) {
      if (!(await namingOutages(recordPosted(db, job, url))))
        log.warn('posted, but another attempt holds the job now')
    },
  }
}

function refusal(intent: Extract<Intent<unknown>, { granted: false }>): KodusError {
  const help = "Nothing to do: the job's events say what happened."
  switch (intent.because) {
    case 'moved-on':
      return superseded(intent)
    case 'already-reviewed':
      return new KodusError('ALREADY_REVIEWED', `Job ${intent.jobId} reviews the same commit.`, { help })
    case 'posting-stopped':
      return postingStopped(intent.stop)
    case 'lease-lost':
      return new KodusError(
        'LEASE_LOST',
        'The job was cancelled or taken over before its review was posted.',
        { help },
      )
  }
}
