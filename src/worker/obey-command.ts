import type { Conversation, Forge, PullRequest, PullRequests } from '../forges/forge.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { jobIdOf } from '../jobs/review-request.ts'
import type { Database } from '../store/database.ts'
import { dismissFinding } from '../store/dismiss-finding.ts'
import { findLastReview } from '../store/find-last-review.ts'
import { findReviewsOf } from '../store/find-reviews-of.ts'
import { getJob } from '../store/get-job.ts'
import { holdPullRequest } from '../store/hold-pull-request.ts'
import { listReviewsUnderWay } from '../store/list-reviews-under-way.ts'
import { observePullRequest } from '../store/observe-pull-request.ts'
import { type JobOf, transitionJob } from '../store/transition-job.ts'
import { requestReview } from './request-review.ts'
import * as say from './say-command.ts'

/** A command whose sender may give it. */
export interface Order {
  job: JobOf<'command'>
  forge: Forge & { pullRequests: PullRequests; conversation: Conversation }
  db: Database
  queue: JobQueue
  signal: AbortSignal
}

/** What was done, as a sentence for the job's history, and what is answered to whoever asked. */
export interface Obeyed {
  did: string
  answer?: string
}

/** Does what a command says. Doing it again, after a failure half-way, changes nothing. */
export async function obeyCommand(order: Order): Promise<Obeyed> {
  const { command, comment } = order.job.payload
  switch (command) {
    case 'review':
      return review(order)
    case 'pause':
      return pause(order)
    case 'resume':
      return resume(order)
    case 'ignore':
      return comment.threadId === null ? ignore(order) : dismiss(order, comment.threadId)
    case 'help':
      return { did: 'answered with help', answer: say.sayHelp() }
    case 'unknown':
      return { did: 'not understood: answered with help', answer: say.sayUnknown() }
  }
}

/** Its own job, which shows itself: no comment says that it will be done. */
async function review(order: Order): Promise<Obeyed> {
  const { job, db } = order
  const { sender, force } = job.payload
  const asked = await getJob(db, jobIdOf(job.forge, deliveryIdOf(job)))
  if (asked) return { did: `nothing: this comment has asked for ${asked.id} before` }
  const pull = await look(order)
  if (pull.state !== 'open') {
    return { did: `nothing: the pull request is ${pull.state}`, answer: say.sayNotOpen(pull.state) }
  }
  const { posted } = await findReviewsOf(db, job.forge, pull)
  if (posted && !force) {
    return { did: `nothing: ${pull.head} was reviewed before`, answer: say.sayReviewedBefore(pull.head) }
  }
  await askForReview(order, pull, { approvedBy: sender, force })
  return { did: `asked for a review of ${pull.head}` }
}

async function pause(order: Order): Promise<Obeyed> {
  await look(order)
  if (!(await holdPullRequest(order.db, order.job.id, 'paused'))) return OUTDATED
  return { did: 'paused', answer: say.sayPaused() }
}

async function ignore(order: Order): Promise<Obeyed> {
  await look(order)
  if (!(await holdPullRequest(order.db, order.job.id, 'ignored'))) return OUTDATED
  const count = await cancelReviews(order)
  return {
    did: `ignored; ${count} ${count === 1 ? 'review' : 'reviews'} cancelled`,
    answer: say.sayIgnored(),
  }
}

async function resume(order: Order): Promise<Obeyed> {
  const { job, db } = order
  const pull = await look(order)
  if (!(await holdPullRequest(db, job.id, null))) return OUTDATED
  const { posted, underWay } = await findReviewsOf(db, job.forge, pull)
  const wanted = pull.state === 'open' && !posted
  if (wanted && !underWay) await askForReview(order, pull, {})
  return { did: 'resumed', answer: say.sayResumed(wanted) }
}

async function dismiss(order: Order, threadId: string): Promise<Obeyed> {
  const { job, forge, db, signal } = order
  const { repository, pullRequest, sender } = job.payload
  const id = await forge.conversation.dismissThread({ repository, pullRequest, threadId }, signal)
  if (id === undefined) {
    return { did: 'nothing: the thread is not about a finding', answer: say.sayNotOurThread() }
  }
  await dismissFinding(db, job.forge, job.payload, { id, dismissedBy: sender })
  await recount(order)
  return { did: `dismissed the finding ${id}`, answer: say.sayDismissed() }
}

/** Has check and summary follow what was dismissed. A head that was not reviewed yet will be told without it. */
async function recount(order: Order): Promise<void> {
  const { job, db } = order
  const pull = await look(order)
  const last = await findLastReview(db, job.forge, pull)
  if (pull.state !== 'open' || last?.head !== pull.head) return
  await askForReview(order, pull, { approvedBy: job.payload.sender, recount: true })
}

const OUTDATED: Obeyed = { did: 'nothing: a later command says otherwise' }

/** The pull request as it is now, remembered too. */
async function look({ job, forge, db, signal }: Order): Promise<PullRequest> {
  const { repository, pullRequest } = job.payload
  const pull = await forge.pullRequests.get(repository, pullRequest, signal)
  await observePullRequest(db, job.forge, pull)
  return pull
}

async function askForReview(
  { job, db, queue }: Order,
  pull: PullRequest,
  asked: { approvedBy?: string; force?: boolean; recount?: boolean },
): Promise<void> {
  const { organisation, sender } = job.payload
  await requestReview({ db, queue }, job.forge, deliveryIdOf(job), pull, {
    organisation,
    sender,
    action: 'command',
    ...asked,
  })
}

/** GitHub numbers its two kinds of comments apart: one of each may have the same id. */
function deliveryIdOf({ payload: { comment } }: Order['job']): string {
  return `command:${comment.place}:${comment.id}`
}

/**
 * Those that have begun to post go on to their end. Whoever has one in hand shows that it is cancelled, or tellLate.
 *
 * @returns how many were cancelled
 */
async function cancelReviews({ job, db }: Order): Promise<number> {
  const { sender } = job.payload
  let count = 0
  for (const jobId of await listReviewsUnderWay(db, job.forge, job.payload)) {
    const move = { jobId, actor: sender, reason: `cancelled: ${sender} had the pull request ignored` }
    if (await transitionJob(db, 'cancel', move)) count += 1
  }
  return count
}
