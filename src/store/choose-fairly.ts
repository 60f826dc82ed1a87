import { newestVersion } from '../jobs/job-types.ts'

/** How many jobs may run at the same time, over all workers. One of each type runs for a pull request. */
export interface RunningLimits {
  perRepository: number
  perOrganisation: number
}

/** What a worker has room for. */
export interface Choice {
  /** The job types this build knows: others are left for those that do. */
  types: readonly string[]
  limits: RunningLimits
  /** At most so many jobs. */
  count: number
  /** Whether one of the jobs that keep killing their workers may be among them. */
  withSuspect: boolean
}

/** Lapsed leases after which a job is suspected of killing its workers, and runs alone. */
export const SUSPECT_AFTER_LAPSES = 2

/**
 * SQL of the jobs that may be claimed now, the fairest first: id, place. Whoever has the fewest jobs running goes
 * first, by organisation, then by repository, so that nobody waits behind somebody else's burst; within a
 * repository, the oldest. Reviews and commands stand in lanes of their own.
 *
 * However many wait, it reads the first few of each lane: the lanes are found by skipping along an index.
 * Its parameters are those of `choiceParameters`: $1 count, $2 with a suspect, $3 and $4 the limits.
 */
export function chooseFairly(types: readonly string[]): string {
  const known = types.map((type) => `('${plainWord(type)}', ${newestVersion(type)})`).join(', ')
  return `
  with recursive lane as (
    (select organisation, repository, type from workflow_jobs where ${WAITS}
     order by organisation, repository, type limit 1)
    union all
    select next.* from lane l cross join lateral (
      select organisation, repository, type from workflow_jobs
      where ${WAITS} and (organisation, repository, type) > (l.organisation, l.repository, l.type)
      order by organisation, repository, type limit 1) next
  ), running as materialized (
    select forge, organisation, repository, pull_request, type from workflow_jobs where status = 'PROCESSING'
  ), committed as materialized (
    -- What has begun to be posted ends first, the oldest before the others: a review begun meanwhile would count
    -- it as said.
    select id, forge, repository, pull_request, type, created_at from workflow_jobs
    where ${WAITS} and intended_run is not null and intended_run = run
  ), candidate as (
    select first.* from lane l
    join (values ${known}) as known (type, version) using (type)
    cross join lateral (
      select j.id, j.forge, j.organisation, j.repository, j.pull_request, j.type, j.run_at,
        j.lapses >= ${SUSPECT_AFTER_LAPSES} as suspect
      from workflow_jobs j
      where ${WAITS} and (j.organisation, j.repository, j.type) = (l.organisation, l.repository, l.type)
        and j.run_at <= now() and j.version <= known.version
        and ($2::boolean or j.lapses < ${SUSPECT_AFTER_LAPSES})
        and not exists (select from running r
          where (r.forge, r.repository, r.pull_request, r.type) = (j.forge, j.repository, j.pull_request, j.type))
        and not exists (select from committed c
          where (c.forge, c.repository, c.pull_request, c.type) = (j.forge, j.repository, j.pull_request, j.type)
            and c.id <> j.id
            and (j.intended_run is distinct from j.run or (c.created_at, c.id) < (j.created_at, j.id)))
      order by j.run_at, j.id limit $1::int) first
  ), single as (
    -- One of each pull request, and one suspect.
    select * from (
      select c.*,
        row_number() over (partition by forge, repository, type, coalesce(pull_request, id::text) order by run_at, id) as of_its_pull_request,
        row_number() over (partition by suspect order by run_at, id) as of_the_suspects
      from candidate c) numbered
    where of_its_pull_request = 1 and (not suspect or of_the_suspects = 1)
  ), in_repository as (
    select s.*, row_number() over (partition by organisation, repository, type order by run_at, id)
      + (select count(*) from running r where (r.organisation, r.repository, r.type) = (s.organisation, s.repository, s.type))
      as repository_place
    from single s
  ), in_organisation as (
    select i.*, row_number() over (partition by organisation, type order by repository_place, run_at, id)
      + (select count(*) from running r where (r.organisation, r.type) = (i.organisation, i.type))
      as organisation_place
    from in_repository i where repository_place <= $3::int
  )
  select id, row_number() over (order by organisation_place, repository_place, run_at, id) as place
  from in_organisation where organisation_place <= $4::int
  order by place limit $1::int`
}

const WAITS = `status in ('PENDING', 'RETRYING')`

export function choiceParameters({ count, withSuspect, limits }: Choice): [number, boolean, number, number] {
  return [count, withSuspect, limits.perRepository, limits.perOrganisation]
}

/** Types stand in the text itself, which is the same for every claim of a build. */
function plainWord(word: string): string {
  if (!/^[a-z-]+$/.test(word)) throw new TypeError(`${JSON.stringify(word)} is no job type`)
  return word
}
