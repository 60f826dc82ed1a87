import type { PullRequest } from '../forges/forge.ts'
import { publishRecorded } from '../jobs/publish-jobs.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { type Delivery, type ForgeName, ownDelivery, type ReviewRequest } from '../jobs/review-request.ts'
import type { Database } from '../store/database.ts'
import { findReviewsOf } from '../store/find-reviews-of.ts'
import { type KnownPullRequest, observePullRequest } from '../store/observe-pull-request.ts'
import { namingOutages } from '../store/outages.ts'
import { recordDeliveries } from '../store/record-deliveries.ts'
import type { JobOf } from '../store/transition-job.ts'

interface Stores {
  db: Database
  queue: JobQueue
}

/** Why a review is asked for by the worker itself, on top of what the forge tells of the pull request. */
type Asked = Pick<ReviewRequest, 'organisation' | 'action' | 'sender'> &
  Partial<Pick<ReviewRequest, 'force' | 'recount' | 'approvedBy'>>

/**
 * Remembers what the forge says of a review's pull request now. Has its head reviewed where that is another one
 * than the review's, and nobody has been asked to: its webhook was lost, or came before one of an older head that
 * GitHub dates to the same second.
 *
 * @returns what is known after that
 * @throws KodusError DATABASE_UNAVAILABLE
 */
export async function observeHead(
  stores: Stores,
  job: JobOf<'code-review'>,
  pull: PullRequest,
): Promise<KnownPullRequest> {
  const known = await namingOutages(observePullRequest(stores.db, job.forge, pull))
  const movedOn = known.head === pull.head && known.head !== job.payload.head
  if (movedOn && known.state === 'open') await namingOutages(requestObserved(stores, job, pull))
  return known
}

async function requestObserved(stores: Stores, job: JobOf<'code-review'>, pull: PullRequest): Promise<void> {
  if ((await findReviewsOf(stores.db, job.forge, pull)).asked) return
  // Not by the head alone: a branch may be forced back to one that was asked for before, and came to nothing.
  const id = `observed:${pull.repository}#${pull.pullRequest}@${pull.head}@${job.id}/${job.run}`
  const { organisation } = job.payload
  await requestReview(stores, job.forge, id, pull, { organisation, action: 'observed', sender: null })
}

/**
 * Records that a review is wanted, and publishes its job.
 *
 * @param deliveryId the same whenever the same thing is asked for: it is done once
 */
export async function requestReview(
  { db, queue }: Stores,
  forge: ForgeName,
  deliveryId: string,
  pull: PullRequest,
  asked: Asked,
): Promise<void> {
  const { repository, pullRequest, head, state, draft, updatedAt } = pull
  const delivery: Delivery = {
    ...ownDelivery(forge, deliveryId),
    pullRequest: { repository, pullRequest, head, state, draft, updatedAt },
    request: {
      repository,
      pullRequest,
      base: pull.base,
      head,
      title: pull.title,
      description: pull.description,
      branch: pull.headBranch,
      baseBranch: pull.baseBranch,
      draft,
      ...asked,
    },
  }
  const recorded = await recordDeliveries(db, [delivery], queue.outboxDelayMs)
  await publishRecorded({ db, queue }, recorded.values())
}
