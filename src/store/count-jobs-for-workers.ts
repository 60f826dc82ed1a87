import type { RunningLimits } from './choose-fairly.ts'
import type { Database } from './database.ts'

/**
 * Of what a limit has room for, as many are counted behind each that could start. With the room alone workers would stop
 * being added when half of a limit is used; so, at nine tenths (a target of four jobs a worker with four slots).
 */
export const COUNTED_BEHIND_EACH = 10

/**
 * How many jobs wait that more workers would run: those that are due, one of each pull request, where the limits of
 * their repository and organisation leave room. None while claiming is stopped: what is kept waiting by anything but
 * slots is no reason for more workers.
 */
export async function countJobsForWorkers(
  db: Database,
  { perRepository, perOrganisation }: RunningLimits,
): Promise<number> {
  const { rows } = await db.query<{ jobs: number }>(
    `with running as materialized (
       select forge, organisation, repository, pull_request, type from workflow_jobs where status = 'PROCESSING'
     ), due as (
       select organisation, repository, type, count(distinct coalesce(pull_request, id::text)) as jobs
       from workflow_jobs j
       where status in ('PENDING', 'RETRYING') and run_at <= now()
         and not exists (select from running r
           where (r.forge, r.repository, r.pull_request, r.type) = (j.forge, j.repository, j.pull_request, j.type))
       group by organisation, repository, type
     ), of_repositories as (
       select organisation, type, sum(least(jobs, $3 * greatest(0, $1 - (select count(*) from running r
         where (r.organisation, r.repository, r.type) = (d.organisation, d.repository, d.type))))) as jobs
       from due d group by organisation, type
     )
     select coalesce(sum(least(jobs, $3 * greatest(0, $2 - (select count(*) from running r
       where (r.organisation, r.type) = (o.organisation, o.type))))), 0)::int as jobs
     from of_repositories o where not exists (select from stops where name = 'claiming')`,
    [perRepository, perOrganisation, COUNTED_BEHIND_EACH],
  )
  return rows[0]?.jobs ?? 0
}
