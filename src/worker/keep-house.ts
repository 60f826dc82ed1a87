import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../lib/log.ts'
import { repeat } from '../lib/repeat.ts'
import { claimTurn } from '../store/claim-turn.ts'
import type { Retention } from '../store/config.ts'
import type { DatabasePool } from '../store/database.ts'
import { OLD_CHECKPOINTS } from '../store/old-checkpoints.ts'
import { OLD_DEAD_LETTERS } from '../store/old-dead-letters.ts'
import { OLD_DELIVERIES, OLD_REDELIVERIES } from '../store/old-deliveries.ts'
import { OLD_JOBS } from '../store/old-jobs.ts'
import { OLD_POLL_CURSORS, OLD_TURNS } from '../store/old-marks.ts'
import { OLD_DISMISSALS, OLD_PULL_REQUESTS } from '../store/old-pull-requests.ts'
import { OLD_UNTOLD } from '../store/old-untold.ts'
import { type OldRows, removeRows } from '../store/remove-rows.ts'

/** Between two rounds, whichever worker has the turn. */
const EVERY_SECONDS = 3600
/** Between two looks at whose turn it is. */
const LOOK_MS = 60_000
/** A round ends before the next one may begin elsewhere; what is left is next hour's. */
const ROUND_MS = 50 * 60_000

/** Rows that one statement looks at. A job takes a few dozen rows of other tables with it. */
const STEP = 200
/** Four fifths of the time go to others, however slow the database is. */
const PAUSES_PER_STEP = 4
const SHORTEST_PAUSE_MS = 100

/** Nothing reads them once their job is finished; a day, for whoever looks into what happened. */
const CHECKPOINT_SECONDS = 24 * 3600
/** A day longer than it is tried (worker/tell-late.ts): what is left is of forges that no worker serves. */
const UNTOLD_SECONDS = 2 * 24 * 3600

interface House {
  db: DatabasePool
  retention: Retention
  log: Log
}

/** Removes, hour by hour, what was kept for as long as it is wanted. One process at a time does it. */
export function keepHouse(house: House): { stop(): Promise<void> } {
  const round = async (signal: AbortSignal) => {
    if (await claimTurn(house.db, 'keep house', EVERY_SECONDS)) await cleanUp(house, signal)
  }
  return repeat('cannot remove what is old', LOOK_MS, round, house.log)
}

/**
 * One round over all tables, in small steps with pauses, until nothing old is left, the signal comes or the round
 * has taken too long. Jobs go before what is kept for as long as there are jobs.
 */
export async function cleanUp({ db, retention, log }: House, signal: AbortSignal): Promise<void> {
  const { jobs, deliveries } = retention
  const tables: [OldRows, number][] = [
    [OLD_CHECKPOINTS, CHECKPOINT_SECONDS],
    [OLD_UNTOLD, UNTOLD_SECONDS],
    [OLD_JOBS, jobs],
    [OLD_PULL_REQUESTS, jobs],
    [OLD_DISMISSALS, jobs],
    [OLD_DELIVERIES, deliveries],
    [OLD_REDELIVERIES, deliveries],
    [OLD_DEAD_LETTERS, jobs],
    [OLD_POLL_CURSORS, jobs],
    [OLD_TURNS, jobs],
  ]
  const ends = AbortSignal.any([signal, AbortSignal.timeout(ROUND_MS)])
  for (const [rows, ageSeconds] of tables) {
    const { removed, notable } = await removeAll(db, rows, ageSeconds, ends)
    if (removed > 0) log.info({ table: rows.table, removed }, 'removed what was kept long enough')
    if (rows === OLD_JOBS && notable > 0) {
      log.warn({ jobs: notable }, 'removed jobs that had failed and that nobody replayed or discarded')
    }
  }
}

async function removeAll(
  db: DatabasePool,
  rows: OldRows,
  ageSeconds: number,
  signal: AbortSignal,
): Promise<{ removed: number; notable: number }> {
  const total = { removed: 0, notable: 0 }
  let after: readonly string[] | undefined
  while (!signal.aborted) {
    const before = performance.now()
    const { removed, notable, next } = await removeRows(db, rows, { ageSeconds, after, limit: STEP })
    total.removed += removed
    total.notable += notable
    if (!next) break
    after = next
    const pauseMs = Math.max(SHORTEST_PAUSE_MS, (performance.now() - before) * PAUSES_PER_STEP)
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
  return total
}
