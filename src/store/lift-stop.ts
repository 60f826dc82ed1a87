import { announceJobs } from './announce-jobs.ts'
import type { Database } from './database.ts'
import type { StopName } from './find-stops.ts'

/**
 * Lets go on what was stopped. Jobs that were handed back because they could not post are due at once.
 *
 * @returns whether it was stopped
 */
export async function liftStop(db: Database, name: StopName): Promise<boolean> {
  const { rowCount } = await db.query('delete from stops where name = $1', [name])
  // Done even if it was not: whoever lifted it may have got no further.
  if (name === 'posting') await db.query(WAKE)
  await announceJobs(db)
  return rowCount === 1
}

/** A PENDING job that may not be claimed yet was handed back; a little early does it no harm. */
const WAKE = `
  with parked as (
    select id from workflow_jobs where status = 'PENDING' and run_at > now() order by id for update
  )
  update workflow_jobs j set run_at = now(), due_at = now() from parked where j.id = parked.id`
