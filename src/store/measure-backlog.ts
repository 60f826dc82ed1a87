import type { Database } from './database.ts'

/** What waits, runs and is stopped, as the database has it now. Ages are seconds, 0 where there is nothing. */
export interface Backlog {
  /** Waiting jobs whose moment has come, those included that a limit keeps waiting. */
  claimable: number
  /** Waiting jobs whose moment is still to come. */
  delayed: number
  running: number
  oldestClaimableSeconds: number
  /** How long the oldest waiting job has been due to be published. */
  outboxLagSeconds: number
  /** Messages that nobody could read and nobody has looked after. */
  deadLetters: number
  /** What an operator has stopped: `claiming`, `posting`. */
  stops: string[]
}

/** Reads partial indexes of what is not finished, and never the finished. */
export async function measureBacklog(db: Database): Promise<Backlog> {
  const { rows } = await db.query<Backlog>(
    `select waiting.*,
       (select count(*)::int from workflow_jobs where status = 'PROCESSING') as running,
       (select count(*)::int from dead_letters where settled_at is null) as "deadLetters",
       array(select name from stops order by name) as stops
     from (
       select
         (count(*) filter (where run_at <= now()))::int as claimable,
         (count(*) filter (where run_at > now()))::int as delayed,
         greatest(0, coalesce(extract(epoch from now() - min(run_at)), 0))::float8 as "oldestClaimableSeconds",
         greatest(0, coalesce(extract(epoch from now() - min(due_at)), 0))::float8 as "outboxLagSeconds"
       from workflow_jobs where status in ('PENDING', 'RETRYING')
     ) waiting`,
  )
  const [backlog] = rows
  if (!backlog) throw new Error('an aggregate without a row')
  return backlog
}
