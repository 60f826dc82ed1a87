import type { KodusError } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { FollowUp, PostableReview } from '../forge.ts'
import { hasCode, isPermanent, type PullRequestPlace } from './pull-request-place.ts'
import { type FindingThread, listFindingThreads, reply, setResolved } from './threads.ts'

/**
 * Says what became of earlier findings, each in its thread and once for each run. A thread that is gone is
 * passed over, and one that people resolved stays as they left it. What GitHub does not allow is logged,
 * once where it is about resolving: the review does not depend on it.
 *
 * @throws KodusError whatever may pass: the next attempt goes on from there
 */
export async function postFollowUps(
  place: PullRequestPlace,
  review: PostableReview,
  log: Log,
): Promise<void> {
  if (review.followUps.length === 0) return
  const tolerant = async (work: () => Promise<void>) => {
    try {
      await work()
    } catch (error) {
      place.signal.throwIfAborted()
      if (!isPermanent(error)) throw error
      log.warn(
        { jobId: review.jobId, code: error.code },
        `could not follow up on an earlier finding: ${error.message} ${error.help}`,
      )
    }
  }
  let refusal: KodusError | undefined
  await tolerant(async () => {
    const threads = await listFindingThreads(place)
    for (const followUp of review.followUps) {
      const key = `${review.jobId}/${review.run}/${followUp.findingId}`
      for (const thread of threads.filter(({ findingId }) => findingId === followUp.findingId)) {
        await tolerant(async () => {
          refusal = (await follow(place, thread, followUp, key)) ?? refusal
        })
      }
    }
  })
  if (refusal) {
    log.info(
      { jobId: review.jobId, code: refusal.code },
      `earlier findings were followed up on, their threads left as they were: ${refusal.message} ${refusal.help}`,
    )
  }
}

/** @returns why the thread could not be resolved, or opened again: many an App is not allowed to, on purpose */
async function follow(
  place: PullRequestPlace,
  thread: FindingThread,
  { action, body }: FollowUp,
  key: string,
): Promise<KodusError | undefined> {
  const resolved = action === 'fixed'
  // Not ours to say anything about: people have settled it.
  if (resolved && thread.isResolved) return undefined
  if (!thread.answers.includes(key)) await reply(place, thread.rootId, key, body)
  if (thread.isResolved === resolved) return undefined
  try {
    await setResolved(place, thread.id, resolved)
  } catch (error) {
    if (!hasCode(error, 'GITHUB_FORBIDDEN')) throw error
    return error
  }
  return undefined
}
