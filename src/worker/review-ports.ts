import type { Forge } from '../forges/forge.ts'
import { KodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Finding, Review } from '../review/review.ts'
import type { ReviewPorts } from '../review/stage.ts'
import { loadCheckpoint } from '../store/load-checkpoint.ts'
import { observePullRequest } from '../store/observe-pull-request.ts'
import { namingOutages } from '../store/outages.ts'
import { recallReviews } from '../store/recall-reviews.ts'
import { findIntent, type Intent, recordIntent } from '../store/record-intent.ts'
import { recordPosted } from '../store/record-posted.ts'
import { recordProgress } from '../store/record-progress.ts'
import { renewLease } from '../store/renew-lease.ts'
import { saveCheckpoint } from '../store/save-checkpoint.ts'
import type { JobOf } from '../store/transition-job.ts'
import type { JobRunner } from './job-runner.ts'
import { requestObserved } from './request-review.ts'
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

  const observe: ReviewPorts['observe'] = async (pullRequest) => {
    const known = await namingOutages(observePullRequest(db, job.forge, pullRequest))
    const movedOn = known.head === pullRequest.head && known.head !== head
    if (movedOn && known.state === 'open') await namingOutages(requestObserved(runner, job, pullRequest))
    return known
  }

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
      await status.settled()
      const intend = () => namingOutages(recordIntent(db, job, review, review))
      let intent = await intend()
      if (!intent.granted && intent.because === 'moved-on' && (await isStillNewest())) intent = await intend()
      if (!intent.granted) throw refusal(intent)
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
    case 'moved-on': {
      const { head, state } = intent
      const what = state === 'open' ? `has moved on to ${head}` : `is ${state}`
      return new KodusError('SUPERSEDED', `the pull request ${what}`, { help })
    }
    case 'already-reviewed':
      return new KodusError('ALREADY_REVIEWED', `Job ${intent.jobId} reviews the same commit.`, { help })
    case 'lease-lost':
      return new KodusError(
        'LEASE_LOST',
        'The job was cancelled or taken over before its review was posted.',
        { help },
      )
  }
}
