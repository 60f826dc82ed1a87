import pg from 'pg'
import { type Choice, chooseFairly } from './choose-fairly.ts'
import type { Database } from './database.ts'
import { type MovedJob, moveSql } from './transition-job.ts'

/** Any number that nobody else in this database uses as an advisory lock. */
const LOCK = 7_035_114_922

/**
 * Claims the jobs that it is fairest to run now: each gets a new fencing token and a lease. Claims of all
 * workers come one after the other, so that no limit is passed; none are had while an operator has stopped
 * claiming.
 *
 * One message carries lock and claim, without parameters: PostgreSQL commits and lets go of the lock by
 * itself, and a worker that freezes in between holds nobody up. The claim is a statement of its own, so that it
 * sees what was committed while it waited for the lock.
 *
 * @param worker this worker's name, for the lease and the log of transitions
 * @returns the claimed jobs; none when nothing may be claimed
 */
export async function claimJobs(db: Database, worker: string, choice: Choice): Promise<MovedJob[]> {
  if (choice.count === 0) return []
  const results: unknown = await db.query(`select pg_advisory_xact_lock(${LOCK});
  ${moveSql(
    'claim',
    `
    select j.id, j.fence, 'claimed' as reason, ${pg.escapeLiteral(worker)} as actor, null::bigint as due, null::jsonb as error
    from workflow_jobs j
    join (${chooseFairly(choice)}) chosen on chosen.id = j.id
    where not exists (select from stops where name = 'claiming')
    for update of j skip locked`,
  )}`)
  // pg answers several statements with a list of results, which its types do not know.
  const [, claimed] = results as [unknown, { rows: MovedJob[] }]
  return claimed.rows
}
