import type { JobStatus } from '../jobs/job.ts'
import { JOB_TYPES } from '../jobs/job-types.ts'
import type { Delivery } from '../jobs/review-request.ts'
import type { Database } from './database.ts'
import { transitionJob } from './transition-job.ts'

export interface RecordedDelivery {
  jobId: string
  /** Null when the job's row was removed: the delivery is still known. */
  status: JobStatus | null
  duplicate: boolean
  /** The row's fencing token, opaque; null when the job is gone. */
  fence: string | null
}

/**
 * Writes verified deliveries in one statement and one commit: the tombstone, the pull request's state, the
 * job and its first event. A delivery that is already known, by its id or by its body, changes nothing;
 * but redelivering one whose job FAILED replays it, since that is what pressing "redeliver" asks for.
 *
 * @param outboxDelayMs how long new rows may wait before the dispatcher publishes them
 * @returns one result for each delivery that asked for a review, by the delivery's own job id
 */
export async function recordDeliveries(
  db: Database,
  deliveries: readonly Delivery[],
  outboxDelayMs: number,
): Promise<Map<string, RecordedDelivery>> {
  // Sorted, so that two handlers with the same deliveries lock rows in the same order.
  const sorted = [...deliveries].sort((a, b) => (a.jobId < b.jobId ? -1 : 1))
  const { rows } = await db.query<{ id: string }>(RECORD, [
    JSON.stringify(sorted),
    outboxDelayMs,
    'code-review',
    JOB_TYPES['code-review'].version,
  ])
  const created = new Set(rows.map((row) => row.id))

  const results = new Map<string, RecordedDelivery>()
  for (const { jobId, request } of sorted) {
    if (!request || results.has(jobId)) continue
    const fresh = created.has(jobId)
    results.set(
      jobId,
      fresh
        ? { jobId, status: 'PENDING', duplicate: false, fence: '0' }
        : await knownDelivery(db, sorted, jobId),
    )
  }
  return results
}

const RECORD = `
  with incoming as (
    select * from json_to_recordset($1::json) as d (
      forge text, "deliveryId" text, "jobId" uuid, digest text, "receivedAt" timestamptz, request jsonb,
      "pullRequest" jsonb)
  ), fresh as (
    insert into deliveries (forge, delivery_id, digest, job_id)
    select forge, "deliveryId", decode(digest, 'hex'), "jobId" from incoming
    where request is not null order by "jobId"
    on conflict do nothing
    returning forge, delivery_id, job_id
  ), told as (
    select i.forge, s.* , coalesce(s."updatedAt", i."receivedAt") as at, i."receivedAt"
    from incoming i, jsonb_to_record(i."pullRequest") as s (
      repository text, "pullRequest" text, head text, state text, draft boolean, "updatedAt" timestamptz)
    where i."pullRequest" is not null
      and (i.request is null or (i.forge, i."deliveryId") in (select forge, delivery_id from fresh))
  ), remembered as (
    insert into pull_requests as known (forge, repository, pull_request, head, state, draft, updated_at)
    select distinct on (forge, repository, "pullRequest") forge, repository, "pullRequest", head, state, draft, at
    from told order by forge, repository, "pullRequest", at desc, "receivedAt" desc
    on conflict (forge, repository, pull_request) do update
      set head = excluded.head, state = excluded.state, draft = excluded.draft, updated_at = excluded.updated_at
      where excluded.updated_at >= known.updated_at
  ), created as (
    insert into workflow_jobs
      (id, type, version, forge, delivery_id, organisation, repository, pull_request, payload, due_at)
    select i."jobId", $3, $4, i.forge, i."deliveryId", i.request ->> 'organisation', i.request ->> 'repository',
      i.request ->> 'pullRequest', i.request, now() + $2 * interval '1 millisecond'
    from fresh f join incoming i on i."jobId" = f.job_id and i."deliveryId" = f.delivery_id
    on conflict do nothing
    returning id, payload, forge
  ), logged as (
    insert into workflow_job_events (job_id, run, attempt, to_status, reason, actor)
    select id, 1, 0, 'PENDING', 'webhook: ' || (payload ->> 'action'), coalesce(payload ->> 'sender', forge) from created
  )
  select id from created`

async function knownDelivery(
  db: Database,
  deliveries: readonly Delivery[],
  jobId: string,
): Promise<RecordedDelivery> {
  const delivery = deliveries.find((candidate) => candidate.jobId === jobId)
  const { rows } = await db.query<Omit<RecordedDelivery, 'duplicate'>>(
    `select d.job_id as "jobId", j.status, j.fence
     from deliveries d left join workflow_jobs j on j.id = d.job_id
     where d.forge = $1 and (d.delivery_id = $2 or d.digest = decode($3, 'hex'))
     order by d.delivery_id = $2 desc limit 1`,
    [delivery?.forge, delivery?.deliveryId, delivery?.digest],
  )
  const known = rows[0] ?? { jobId, status: null, fence: null }
  if (known.status === 'FAILED' && known.jobId === jobId) {
    const replayed = await transitionJob(db, 'replay', {
      jobId,
      actor: delivery?.request?.sender ?? delivery?.forge ?? 'forge',
      reason: 'redelivered by the forge',
    })
    if (replayed) return { jobId, status: replayed.status, duplicate: true, fence: replayed.fence }
  }
  return { ...known, duplicate: true }
}
