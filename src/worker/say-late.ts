import type { ReviewStatus } from '../forges/forge.ts'
import type { Database } from '../store/database.ts'
import type { UntoldJob } from '../store/take-untold.ts'
import { isShown } from './review-ports.ts'
import {
  sayAlreadyReviewed,
  sayCancelled,
  sayFailed,
  sayReplayed,
  saySuperseded,
  sayWaiting,
} from './say-status.ts'
import { verdictOnRecord } from './verdict-on-record.ts'

/** A job that is tried again sooner than this tells of itself, and what is on its way meanwhile would come after it. */
const SOON_MS = 30_000

/**
 * What is still to be shown of a review that nobody told of in time; undefined where there is nothing. What a newer
 * review has shown since is neither hidden by a new display, nor by a notice.
 */
export async function sayLate(db: Database, untold: UntoldJob): Promise<ReviewStatus | undefined> {
  const isOnShow = untold.hasWaited || untold.stages.some(isShown)
  if (untold.isReplayed) return isOnShow ? sayReplayed() : undefined
  if (untold.isOvertaken && !isOnShow) return undefined
  const status = await say(db, untold, isOnShow)
  if (status?.state !== 'ended' || !untold.isOvertaken) return status
  return { ...status, failed: false }
}

async function say(
  db: Database,
  { job, shows, status, error, waitsMs }: UntoldJob,
  isOnShow: boolean,
): Promise<ReviewStatus | undefined> {
  switch (status) {
    case 'RETRYING':
      return error && waitsMs > SOON_MS ? sayWaiting(error, waitsMs) : undefined
    case 'FAILED':
      return error ? sayFailed(error) : undefined
    case 'COMPLETED':
      if (shows) return shows as ReviewStatus
      if (!isOnShow) return undefined
      return sayAlreadyReviewed('Another job reviews the same commit.', await verdictOnRecord(db, job))
    case 'CANCELLED':
      return isOnShow ? sayCancelled(error?.message) : undefined
    case 'SUPERSEDED':
      return isOnShow ? saySuperseded() : undefined
    default:
      return undefined
  }
}
