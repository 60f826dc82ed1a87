import type { Database } from './database.ts'

/**
 * The oldest job under way that does all that this one would do: it reviews the same commit of the same pull
 * request for the same base branch, and if a person with a say has approved of this one, then of that one too.
 * A branch's name is no commit: it may mean another one by now. A review that is forced does not count, and is
 * not counted out; nor is one that has committed to posting.
 *
 * @returns its id
 */
export async function findOlderTwin(db: Database, jobId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select o.id from workflow_jobs j
     join workflow_jobs o on (o.forge, o.repository, o.pull_request) = (j.forge, j.repository, j.pull_request)
       and o.status in ('PENDING', 'PROCESSING', 'RETRYING') and o.type = j.type
       and (o.created_at, o.id) < (j.created_at, j.id)
     where j.id = $1 and j.type = 'code-review' and j.intended_run is distinct from j.run
       and o.payload ->> 'head' = j.payload ->> 'head' and j.payload ->> 'head' ~ '^([0-9a-f]{40}|[0-9a-f]{64})$'
       and 'true' not in (coalesce(o.payload ->> 'force', ''), coalesce(o.payload ->> 'recount', ''))
       and 'true' not in (coalesce(j.payload ->> 'force', ''), coalesce(j.payload ->> 'recount', ''))
       and coalesce(o.payload ->> 'baseBranch' = j.payload ->> 'baseBranch', true)
       and (o.payload ->> 'approvedBy' is not null or j.payload ->> 'approvedBy' is null)
     order by o.created_at, o.id limit 1`,
    [jobId],
  )
  return rows[0]?.id
}
