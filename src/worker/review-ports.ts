import type { Forge } from '../forges/forge.ts'
import { KodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Model } from '../models/model.ts'
import type { Review } from '../review/review.ts'
import type { ReviewPorts } from '../review/stage.ts'
import type { DatabasePool } from '../store/database.ts'
import { findSuperseding } from '../store/find-superseding.ts'
import { loadCheckpoint } from '../store/load-checkpoint.ts'
import { namingOutages } from '../store/outages.ts'
import { recordIntent } from '../store/record-intent.ts'
import { recordPosted } from '../store/record-posted.ts'
import { recordProgress } from '../store/record-progress.ts'
import { renewLease } from '../store/renew-lease.ts'
import { saveCheckpoint } from '../store/save-checkpoint.ts'
import type { Attempt } from './attempt.ts'

/** The review's ports over the stores. Everything it writes carries the attempt's fencing token. */
export function reviewPorts(
  attempt: Attempt,
  { db, forge, model, log }: { db: DatabasePool; forge: Forge; model: Model | undefined; log: Log },
): ReviewPorts {
  const { job } = attempt
  return {
    jobId: job.id,
    run: job.run,
    forge,
    model,
    signal: attempt.signal,
    progress: (stage, percent) => namingOutages(recordProgress(db, job, stage, percent)),
    loadCheckpoint: (stage, version) => namingOutages(loadCheckpoint(db, job, stage, version)),
    saveCheckpoint: (stage, version, result) =>
      namingOutages(saveCheckpoint(db, job, { stage, version, result })),
    stillOurs: () => namingOutages(renewLease(db, job.id, job.fence)),
    async intend(review: Review) {
      const intent = await namingOutages(recordIntent(db, job, review, review))
      if (!intent) throw await refusal(db, job.id)
      return { review: intent.review, posted: intent.postedAt !== null }
    },
    async posted(url) {
      if (!(await namingOutages(recordPosted(db, job, url))))
        log.warn('posted, but another attempt holds the job now')
    },
  }
}

/** Why an intent was refused: the pull request moved on, or the job is no longer this attempt's. */
async function refusal(db: DatabasePool, jobId: string): Promise<KodusError> {
  const superseding = await findSuperseding(db, jobId)
  const help = "Nothing to do: the job's events say what happened."
  return superseding
    ? new KodusError('SUPERSEDED', superseding, { help })
    : new KodusError('LEASE_LOST', 'The job was cancelled or taken over before its review was posted.', {
        help,
      })
}
