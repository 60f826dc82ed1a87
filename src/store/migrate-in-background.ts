import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { migrate } from './migrate.ts'

const RETRY_MS = 1_000

/**
 * Migrates as soon as the database can be reached, however long that takes: nobody's start waits for it
 * who does not choose to.
 *
 * @returns `done` resolves when the schema is up to date, or when `stop` ended the trying
 */
export function migrateInBackground(pool: pg.Pool, log: Log): { done: Promise<void>; stop(): Promise<void> } {
  const stopping = new AbortController()
  const done = untilMigrated(pool, log, stopping.signal)
  return {
    done,
    stop: () => {
      stopping.abort()
      return done
    },
  }
}

async function untilMigrated(pool: pg.Pool, log: Log, signal: AbortSignal): Promise<void> {
  let lastMessage = ''
  while (!signal.aborted) {
    try {
      const ran = await migrate(pool)
      if (ran.length > 0) log.info({ migrations: ran }, 'database schema brought up to date')
      return
    } catch (error) {
      const message = messageOf(error)
      if (message !== lastMessage) log.warn(`database not ready, trying on: ${message}`)
      lastMessage = message
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
    }
  }
}
