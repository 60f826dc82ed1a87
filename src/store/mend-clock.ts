import type { Database } from './database.ts'

/**
 * Makes waiting jobs claimable that a clock set back would keep waiting: whoever takes over the database may
 * tell an earlier time. Rows changed in the future show it.
 *
 * @returns how many there were
 */
export async function mendClock(db: Database): Promise<number> {
  const { rowCount } = await db.query(
    `update workflow_jobs set run_at = now(), due_at = now(), updated_at = now()
     where status in ('PENDING', 'RETRYING') and updated_at > now() + interval '1 minute'`,
  )
  return rowCount ?? 0
}
