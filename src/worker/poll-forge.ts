import type { EventSource } from '../jobs/delivery-log.ts'
import { publishRecorded } from '../jobs/publish-jobs.ts'
import type { JobQueue } from '../jobs/queue.ts'
import { type Delivery, type ForgeName, ownDelivery, type PullRequestState } from '../jobs/review-request.ts'
import { asKodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { repeat } from '../lib/repeat.ts'
import { claimTurn } from '../store/claim-turn.ts'
import type { Database, DatabasePool } from '../store/database.ts'
import { findLastReview } from '../store/find-last-review.ts'
import { findTurnedBack } from '../store/find-turned-back.ts'
import { loadPollCursor } from '../store/load-poll-cursor.ts'
import { recordDeliveries } from '../store/record-deliveries.ts'
import { savePollCursor } from '../store/save-poll-cursor.ts'

/** Between two looks at whose turn it is. */
const LOOK_MS = 5_000

/**
 * Asks the forge what happened, and records it as its webhooks would have: for an installation that no webhook
 * can reach. The cursor moves after the deliveries are committed, so that nothing is lost in between. One
 * repository that cannot be read does not hide the others.
 */
export function pollForge(
  forge: ForgeName,
  events: EventSource,
  { db, queue, log, everySeconds }: { db: DatabasePool; queue: JobQueue; log: Log; everySeconds: number },
): { stop(): Promise<void> } {
  // Why each repository could not be read the last time: said once.
  const failures = new Map<string, string>()

  const pollOne = async (repository: string, signal: AbortSignal) => {
    const before = await loadPollCursor(db, forge, repository)
    const { deliveries, unread, cursor } = await events.happenedSince(repository, before, signal)
    // The forge tells a thing again whenever something else happens to it: our own notice of a failure would do.
    const states = deliveries.flatMap(({ pullRequest }) => pullRequest ?? [])
    const news = await Promise.all(
      deliveries.map(async (delivery) => turnedBack(await sinceLastReview(delivery, db), states, db)),
    )
    const recorded = await recordDeliveries(db, news, queue.outboxDelayMs, { replayFailed: false })
    await savePollCursor(db, forge, repository, cursor)
    for (const reason of unread) log.warn({ forge, repository }, `polled what cannot be read: ${reason}`)
    const fresh = [...recorded.values()].filter(({ duplicate }) => !duplicate)
    for (const { jobId } of fresh) log.info({ forge, repository, jobId }, 'polled: something to do')
    await publishRecorded({ db, queue }, fresh)
  }

  const poll = async (signal: AbortSignal) => {
    if (!(await claimTurn(db, `poll ${forge}`, everySeconds))) return
    for (const repository of events.repositories) {
      signal.throwIfAborted()
      try {
        await pollOne(repository, signal)
        failures.delete(repository)
      } catch (thrown) {
        const error = asKodusError(thrown)
        // A rate limit is everybody's: asking for the others would only prolong it.
        if (signal.aborted || error.retryAfterMs !== undefined) throw error
        const { code, message } = error
        if (failures.get(repository) !== message)
          log.warn({ forge, repository, code }, `cannot poll: ${message}`)
        failures.set(repository, message)
      }
    }
  }
  return repeat(`cannot poll ${forge}`, Math.min(LOOK_MS, everySeconds * 1000), poll, log)
}

/**
 * A head that was the last to be reviewed is nothing new, and asks for nothing. One that was reviewed before
 * another was is: its branch was forced back, and its delivery must not pass for the one of then.
 */
async function sinceLastReview(delivery: Delivery, db: DatabasePool): Promise<Delivery> {
  const { forge, deliveryId, request, ...told } = delivery
  if (!request?.pullRequest) return delivery
  const { repository, pullRequest, head, baseBranch } = request
  const last = await findLastReview(db, forge, { repository, pullRequest })
  if (!last) return delivery
  const isReviewed = last.head === head && (last.baseBranch ?? baseBranch) === baseBranch
  if (isReviewed) return { forge, deliveryId, ...told }
  return { ...told, ...ownDelivery(forge, `${deliveryId}@${last.jobId}`), request }
}

/**
 * A pull request that was closed and is open again asks once more, and so does a draft that was ready before: as it is
 * now it has been told of already, and what came of that was cancelled or left out.
 */
async function turnedBack(
  delivery: Delivery,
  states: readonly PullRequestState[],
  db: Database,
): Promise<Delivery> {
  const { forge, deliveryId, request, ...told } = delivery
  const now = states.find(({ pullRequest }) => pullRequest === request?.pullRequest)
  if (!request || !now) return delivery
  const otherwise = await findTurnedBack(db, { forge, deliveryId, request }, now)
  if (otherwise === undefined) return delivery
  return { ...told, ...ownDelivery(forge, `${deliveryId}@after:${otherwise}`), request }
}
