import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { migrate } from './migrate.ts'

const RETRY_MS = 1_000
/** What only a person can put right is not tried every second. */
const FAILED_RETRY_MS = 30_000

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
      const ran = await migrate(pool, { signal })
      if (ran.length > 0) log.info({ migrations: ran }, 'database schema brought up to date')
      return
    } catch (error) {
      if (signal.aborted) return
      const message = messageOf(error)
      const coded = error instanceof KodusError ? { code: error.code, help: error.help } : {}
      const isPermanent = error instanceof KodusError && error.retryability === 'permanent'
      if (message !== lastMessage) {
        if (isPermanent) log.error(coded, message)
        else log.warn(coded, `database not ready, trying on: ${message}`)
      }
      lastMessage = message
      await sleep(isPermanent ? FAILED_RETRY_MS : RETRY_MS, undefined, { signal }).catch(() => {})
    }
  }
}
