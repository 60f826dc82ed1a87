import type { Forge } from '../forges/forge.ts'
import { ensurePosting } from '../jobs/ensure-posting.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { abortable } from '../lib/abortable.ts'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { repeat } from '../lib/repeat.ts'
import { claimTurn } from '../store/claim-turn.ts'
import type { DatabasePool } from '../store/database.ts'
import { markTold } from '../store/mark-told.ts'
import { takeUntold, type UntoldJob } from '../store/take-untold.ts'
import { sayLate } from './say-late.ts'
import { createStatusLine } from './status-line.ts'

/** Between two turns of the whole installation, whichever worker has it. */
const EVERY_SECONDS = 10

/** Between two looks at whose turn it is. */
const LOOK_MS = 5_000

/** In one turn: after an outage, no forge is asked for more than 30 a minute (GitHub: 80 writes a minute in all). */
const BATCH = 5

/** What could not be told in a day, nobody waits for: it is tried once more, and no more after that. */
const GIVE_UP_AFTER_MS = 24 * 3600 * 1000

interface Telling {
  db: DatabasePool
  forges: Partial<Record<ForgeName, Forge>>
  log: Log
}

/**
 * Tells what became of reviews where nobody has: no worker had the job in hand when it was ended, the worker died
 * between recording and telling, or its forge did not answer. Runs in every worker; each takes what no other has.
 */
export function tellLate(telling: Telling): { stop(): Promise<void> } {
  const tell = (signal: AbortSignal) => abortable(tellInTurn(telling), signal)
  return repeat('cannot look for jobs that nobody was told of', LOOK_MS, tell, telling.log)
}

/** Tells of a few, unless another worker has just done so. */
export async function tellInTurn(telling: Telling): Promise<void> {
  if (await claimTurn(telling.db, 'tell late', EVERY_SECONDS)) await tellUntold(telling)
}

/** Tells of a few, those that have waited longest. */
export async function tellUntold(telling: Telling): Promise<void> {
  const forges = Object.keys(telling.forges) as ForgeName[]
  const untold = await takeUntold(telling.db, { forges, limit: BATCH })
  await Promise.all(untold.map((each) => tellOne(each, telling)))
}

async function tellOne(untold: UntoldJob, { db, forges, log: workerLog }: Telling): Promise<void> {
  const { job, ageMs } = untold
  const log = workerLog.child({ jobId: job.id, deliveryId: job.deliveryId })
  const forge = forges[job.forge]
  try {
    const status = forge?.status && (await sayLate(db, untold))
    if (forge && status) {
      await createStatusLine(forge, job, log).end(status)
      // While posting is stopped, nothing was shown.
      await ensurePosting(db)
      log.info(`told late what became of run ${job.run}`)
    }
    await markTold(db, job)
  } catch (error) {
    log.warn(`nobody was told: ${messageOf(error)}`)
    if (ageMs > GIVE_UP_AFTER_MS) await markTold(db, job)
  }
}
