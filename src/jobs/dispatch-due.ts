import type { Log } from '../lib/log.ts'
import { type Repeated, repeat } from '../lib/repeat.ts'
import { takeovers } from '../lib/telemetry/catalogue.ts'
import { announceJobs } from '../store/announce-jobs.ts'
import type { RunningLimits } from '../store/choose-fairly.ts'
import type { Database } from '../store/database.ts'
import { findForgotten } from '../store/find-forgotten.ts'
import { lapseLeases } from '../store/lapse-leases.ts'
import { mendClock } from '../store/mend-clock.ts'
import { takeDueJobs } from '../store/take-due-jobs.ts'
import { RENEW_EVERY_MS } from './job.ts'
import { publishJobs } from './publish-jobs.ts'
import type { JobQueue } from './queue.ts'
import { watchClock } from './watch-clock.ts'

const BATCH = 100

const MEND_EVERY_MS = 60_000

/** However much is due, leases are looked at in between: a dead worker is noticed within its lease, and a few seconds. */
const PUBLISH_MS = 5_000

export interface DispatcherOptions {
  db: Database
  queue: JobQueue
  /** The job types this build knows: others are left for those that do. */
  types: readonly string[]
  limits: RunningLimits
  /** Who it is, for the log of transitions. */
  worker: string
  log: Log
  /** Milliseconds between two looks at the table. */
  everyMs?: number
  /** Milliseconds of a turn after which what else is due is left to the next one. */
  publishMs?: number
}

/**
 * Sees to it that no job is forgotten. Takes jobs from workers that stopped renewing their leases, and publishes
 * every job whose moment has come: rows whose first publish was lost (outbox), that wait to be tried again, or for
 * which the queue, being empty, has no message although they could run. Runs in every worker; each takes rows
 * that no other has. Either store may be away: the rows are still due when it is back.
 */
export function startDispatcher(options: DispatcherOptions): Repeated {
  const { db, queue, types, limits, worker, log, everyMs = 1_000, publishMs = PUBLISH_MS } = options
  const lookAtClock = watchClock(db)
  let mendFrom = 0
  let lapseFrom = 0

  /** Whoever renews its leases was cut off too, or did it by another clock, and gets the time to do it. */
  const allowRenewals = () => {
    lapseFrom = performance.now() + RENEW_EVERY_MS + 2_000
  }

  const reclaim = async (): Promise<void> => {
    const { time, movedMs } = await lookAtClock()
    if (movedMs !== 0) {
      log.warn({ movedMs }, "the database's clock was moved: jobs that wait are set by the new time")
      allowRenewals()
      mendFrom = 0
    }
    const lapsed = performance.now() < lapseFrom ? [] : await lapseLeases(db, worker, time)
    takeovers.add({}, lapsed.length)
    for (const { id, deliveryId, lapses } of lapsed) {
      log.warn({ jobId: id, deliveryId, lapses }, 'took a job from a worker that stopped renewing its lease')
    }
    if (lapsed.length > 0) await announce()
  }

  const mend = async (): Promise<void> => {
    if (performance.now() < mendFrom) return
    // First: one that fails each time must not keep anything else from being done.
    mendFrom = performance.now() + MEND_EVERY_MS
    if ((await mendClock(db)) > 0) await announce()
  }

  const announce = async (): Promise<void> => {
    if (queue.technology === 'postgres') await announceJobs(db)
  }

  const publishDue = async (signal: AbortSignal): Promise<void> => {
    const ends = performance.now() + publishMs
    let taken = BATCH
    while (taken === BATCH && queue.isUp() && !signal.aborted) {
      const due = await takeDueJobs(db, { types, limit: BATCH })
      taken = (await publishJobs({ db, queue }, due)) ? due.length : 0
      if (performance.now() >= ends) return
    }
  }

  /** Messages are spent on whichever job should run first, so one that had to wait may have none left. */
  const publishForgotten = async (): Promise<void> => {
    if (!queue.isUp() || (await queue.depth()) !== 0) return
    await publishJobs(
      { db, queue },
      await findForgotten(db, { types, limits, count: BATCH, withSuspect: true }),
    )
  }

  const dispatch = async (signal: AbortSignal): Promise<void> => {
    await reclaim().catch((error) => {
      allowRenewals()
      throw error
    })
    await mend()
    if (queue.technology === 'postgres') return
    await publishDue(signal)
    await publishForgotten()
  }
  return repeat('due jobs are not being published', everyMs, dispatch, log)
}
