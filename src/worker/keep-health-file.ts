import { rename, writeFile } from 'node:fs/promises'
import type { Log } from '../lib/log.ts'
import { type Repeated, repeat } from '../lib/repeat.ts'
import { within } from '../lib/within.ts'
import type { Database } from '../store/database.ts'

export interface HealthFileOptions {
  file: string
  db: Database
  /** The loops that a worker is useless without, by what the log calls them. */
  loops: Readonly<Record<string, Pick<Repeated, 'sinceTurnMs'>>>
  log: Log
  everyMs?: number
  /** As long as a query may take (`openDatabase`): a turn waits for one that is slow. */
  turnWithinMs?: number
}

const DATABASE_WITHIN_MS = 3_000

/**
 * Says without HTTP that a worker is well: its file is written anew while the database answers and each loop turns,
 * and grows old while not, so that whoever asks reads its age. What is wrong is logged. A broker that takes no messages
 * for want of disk or memory is no reason to restart those who empty it: only the consumer's connection counts.
 */
export function keepHealthFile(options: HealthFileOptions): { stop(): Promise<void> } {
  const { file, db, loops, log, everyMs = 5_000, turnWithinMs = 30_000 } = options

  const renew = async (): Promise<void> => {
    const asked = performance.now()
    await within(DATABASE_WITHIN_MS, db.query('select 1'), 'PostgreSQL did not answer')
    const seen: Record<string, unknown> = {
      at: new Date().toISOString(),
      pid: process.pid,
      databaseMs: Math.round(performance.now() - asked),
    }
    for (const [name, loop] of Object.entries(loops)) {
      const ms = loop.sinceTurnMs()
      if (ms === Number.POSITIVE_INFINITY) throw new Error(`${name} is not connected`)
      if (ms > turnWithinMs) throw new Error(`${name} has not turned for ${turnWithinMs} ms`)
      seen[name] = `turned ${Math.round(ms)} ms ago`
    }
    const next = `${file}.${process.pid}`
    await writeFile(next, `${JSON.stringify(seen)}\n`)
    await rename(next, file)
  }
  return repeat('the health file is not renewed', everyMs, renew, log)
}
