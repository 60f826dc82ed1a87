import type { Database } from './database.ts'

/**
 * Why a job's review is no longer wanted: by what the forge last told of its pull request, or because an
 * older job is about to review the same commit of it. Only reviews are superseded.
 *
 * @param forgeIsAsked whether the forge itself will be asked for the newest head: webhooks of one second come in
 *   any order, so what was told last may be wrong
 * @returns a sentence, or undefined while the job's head is the pull request's head, and nobody else's
 */
export async function findSuperseding(
  db: Database,
  jobId: string,
  { forgeIsAsked = false }: { forgeIsAsked?: boolean } = {},
): Promise<string | undefined> {
  const { rows } = await db.query<{ head: string | null; state: string | null; twin: string | null }>(
    `select p.head, p.state, twin.id as twin from workflow_jobs j
     left join pull_requests p on (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
       and (p.head <> j.payload ->> 'head' or p.state <> 'open') and not $2
     left join lateral (${OLDER_TWIN}) twin on true
     where j.id = $1 and j.type = 'code-review' and j.intended_run is distinct from j.run`,
    [jobId, forgeIsAsked],
  )
  const { head = null, state = null, twin = null } = rows[0] ?? {}
  if (state !== null && state !== 'open') return `the pull request is ${state}`
  if (head !== null) return `the pull request has moved on to ${head}`
  return twin === null ? undefined : `the older job ${twin} reviews the same commit`
}

/**
 * The oldest job under way that does all that this one would do: it reviews the same commit of the same pull
 * request for the same base branch, and if a person with a say has approved of this one, then of that one too.
 * A branch's name is no commit: it may mean another one by now. A review that is forced does not count, and is
 * not counted out.
 */
const OLDER_TWIN = `
  select o.id from workflow_jobs o
  where o.status in ('PENDING', 'PROCESSING', 'RETRYING') and o.type = j.type
    and (o.forge, o.repository, o.pull_request) = (j.forge, j.repository, j.pull_request)
    and (o.created_at, o.id) < (j.created_at, j.id)
    and o.payload ->> 'head' = j.payload ->> 'head' and j.payload ->> 'head' ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'
    and 'true' not in (coalesce(o.payload ->> 'force', ''), coalesce(o.payload ->> 'recount', ''))
    and 'true' not in (coalesce(j.payload ->> 'force', ''), coalesce(j.payload ->> 'recount', ''))
    and coalesce(o.payload ->> 'baseBranch' = j.payload ->> 'baseBranch', true)
    and (o.payload ->> 'approvedBy' is not null or j.payload ->> 'approvedBy' is null)
  order by o.created_at, o.id limit 1`
