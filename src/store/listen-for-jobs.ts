import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from '../lib/log.ts'
import { settledWithin } from '../lib/settled-within.ts'
import type { DatabasePool } from './database.ts'

export const JOBS_CHANNEL = 'workflow_jobs'

const RETRY_MS = 5_000
const CLOSE_TIMEOUT_MS = 1_000

/**
 * Calls `onAnnounced` whenever jobs are announced, on a connection of its own to where the pool connects;
 * also whenever that is made again, since what was announced meanwhile is not told twice. A pooler that
 * hands connections around swallows announcements, so callers must look by themselves now and then.
 */
export function listenForJobs(
  pool: DatabasePool,
  onAnnounced: () => void,
  log: Log,
): { close(): Promise<void> } {
  const stopping = new AbortController()
  let client: pg.Client | undefined

  async function listenOnce(): Promise<void> {
    client = new pg.Client({
      ...pool.options,
      application_name: `${pool.options.application_name ?? 'kodus'} listener`,
      connectionTimeoutMillis: RETRY_MS,
      query_timeout: RETRY_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    })
    const current = client
    const ended = new Promise<void>((resolve) => current.once('end', resolve))
    current.on('error', (error) => log.debug(`listening for jobs: ${error.message}`))
    current.on('notification', onAnnounced)
    await current.connect()
    await current.query(`listen ${JOBS_CHANNEL}`)
    onAnnounced()
    await ended
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Whoever polls beside this says that the database is away.
      await listenOnce().catch((error: Error) => log.debug(`cannot listen for jobs: ${error.message}`))
      await client?.end().catch(() => {})
      const wait = RETRY_MS * (0.5 + Math.random() / 2)
      await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const running = run()
  return {
    async close() {
      stopping.abort()
      void client?.end().catch(() => {})
      await settledWithin(CLOSE_TIMEOUT_MS, running)
    },
  }
}
