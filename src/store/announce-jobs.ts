import type { Database } from './database.ts'
import { JOBS_CHANNEL } from './listen-for-jobs.ts'

/** Wakes whoever listens for jobs. Costs one notification, however many jobs there are. */
export async function announceJobs(db: Database): Promise<void> {
  await db.query('select pg_notify($1, $2)', [JOBS_CHANNEL, ''])
}
