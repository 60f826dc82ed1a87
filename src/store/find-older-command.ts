import type { Database } from './database.ts'

/**
 * The job that an earlier delivery of the same comment made: webhook and poll may bring one comment under two
 * ids, and an old one may come again long after another comment said otherwise.
 *
 * @returns its id; undefined where there is none, or it came to nothing
 */
export async function findOlderCommand(db: Database, jobId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `select o.id from workflow_jobs j
     join workflow_jobs o on (o.forge, o.repository, o.pull_request) = (j.forge, j.repository, j.pull_request)
       and o.type = 'command' and o.payload -> 'comment' = j.payload -> 'comment'
       and (o.created_at, o.id) < (j.created_at, j.id)
       and o.status in ('PENDING', 'PROCESSING', 'RETRYING', 'COMPLETED')
     where j.id = $1 limit 1`,
    [jobId],
  )
  return rows[0]?.id
}
