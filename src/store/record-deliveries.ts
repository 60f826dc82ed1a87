import type { JobStatus } from '../jobs/job.ts'
import { JOB_TYPES } from '../jobs/job-types.ts'
import type { Delivery, JobTypeName } from '../jobs/review-request.ts'
import { reached } from '../lib/moments.ts'
import type { Database } from './database.ts'
import { transitionJob } from './transition-job.ts'

export interface RecordedDelivery {
  jobId: string
  /** Null when the job's row was removed: the delivery is still known. */
  status: JobStatus | null
  duplicate: boolean
  /** What the row says of the job, with its fencing token, opaque; null when the job is gone. */
  job: { type: string; version: number; fence: string } | null
}

/**
 * Writes verified deliveries in one statement and one commit: the tombstone, the pull request's state, the
 * job and its first event. A delivery that is already known, by its id or by its body, changes nothing;
 * but redelivering one whose job FAILED replays it, since that is what pressing "redeliver" asks for, and so does opening
 * a pull request again within the second in which it was opened before: the two bodies are equal then.
 *
 * @param outboxDelayMs how long new rows may wait before the dispatcher publishes them
 * @param options `replayFailed: false` where hearing of it again asks for nothing, as when polling
 * @returns one result for each delivery that asked for something, by the delivery's own job id
 */
export async function recordDeliveries(
  db: Database,
  deliveries: readonly Delivery[],
  outboxDelayMs: number,
  { replayFailed = true }: { replayFailed?: boolean } = {},
): Promise<Map<string, RecordedDelivery>> {
  const { rows } = await db.query<{ id: string }>(RECORD, [
    JSON.stringify(deliveries.map(rowOf)),
    outboxDelayMs,
  ])
  reached('deliveries-committed', { count: deliveries.length })
  const created = new Set(rows.map((row) => row.id))

  const results = new Map<string, RecordedDelivery>()
  for (const delivery of deliveries) {
    const { jobId } = delivery
    const type = typeOf(delivery)
    if (!type || results.has(jobId)) continue
    const job = { type, version: JOB_TYPES[type].version, fence: '0' }
    results.set(
      jobId,
      created.has(jobId)
        ? { jobId, status: 'PENDING', duplicate: false, job }
        : await knownDelivery(db, delivery, replayFailed),
    )
  }
  return results
}

/** The type of the job that a delivery asks for; undefined when it only tells of a pull request. */
function typeOf({ request, command }: Delivery): JobTypeName | undefined {
  if (request) return 'code-review'
  return command && 'command'
}

function rowOf(delivery: Delivery) {
  const { forge, deliveryId, jobId, digest, receivedAt, pullRequest, request, command, traceparent } =
    delivery
  const type = typeOf(delivery)
  const job = type && {
    type,
    version: JOB_TYPES[type].version,
    payload: request ?? command,
    reason: request ? reasonOf(request.action) : `comment: ${command?.command}`,
  }
  // How long ago, by one clock: where a forge dates nothing, the moment is the database's.
  const ageMs = Math.max(0, Date.now() - Date.parse(receivedAt))
  return { forge, deliveryId, jobId, digest, receivedAt, ageMs, pullRequest, traceparent, ...job }
}

/** How a review came to be asked for. */
function reasonOf(action: string): string {
  if (action === 'command') return 'asked for by a command'
  if (action === 'observed') return 'its head was seen at the forge, without its webhook'
  return `webhook: ${action}`
}

// Rows are locked in the order of their keys, in every handler and recorder: else two with the same ones could wait
// for each other. By the digest, since a captured body comes under another id.
const RECORD = `
  with incoming as (
    select * from json_to_recordset($1::json) as d (
      forge text, "deliveryId" text, "jobId" uuid, digest text, "receivedAt" timestamptz, "ageMs" bigint, "pullRequest" jsonb,
      type text, version smallint, payload jsonb, reason text, traceparent text)
  ), fresh as (
    insert into deliveries (forge, delivery_id, digest, job_id)
    select forge, "deliveryId", decode(digest, 'hex'), "jobId" from incoming
    where type is not null order by digest, "jobId"
    on conflict do nothing
    returning forge, delivery_id, job_id
  ), told as (
    select i.forge, s.*, coalesce(s."updatedAt", greatest(now() - i."ageMs" * interval '1 millisecond', (
      -- Told by a clock that has been set back since, which must not make what is told now older.
      select p.updated_at from pull_requests p
      where (p.forge, p.repository, p.pull_request) = (i.forge, s.repository, s."pullRequest")
        and p.updated_at > now() + interval '1 minute'))) as at, i."receivedAt"
    from incoming i, jsonb_to_record(i."pullRequest") as s (
      repository text, "pullRequest" text, head text, state text, draft boolean, "updatedAt" timestamptz)
    where i."pullRequest" is not null
      and (i.type is null or (i.forge, i."deliveryId") in (select forge, delivery_id from fresh))
  ), remembered as (
    insert into pull_requests as known (forge, repository, pull_request, head, state, draft, updated_at)
    select distinct on (forge, repository, "pullRequest") forge, repository, "pullRequest", head, state, draft, at
    from told order by forge, repository, "pullRequest", at desc, "receivedAt" desc
    on conflict (forge, repository, pull_request) do update
      set head = excluded.head, state = excluded.state, draft = excluded.draft, updated_at = excluded.updated_at
      where excluded.updated_at >= known.updated_at
  ), created as (
    insert into workflow_jobs
      (id, type, version, forge, delivery_id, organisation, repository, pull_request, payload, due_at, traceparent)
    select i."jobId", i.type, i.version, i.forge, i."deliveryId", i.payload ->> 'organisation', i.payload ->> 'repository',
      i.payload ->> 'pullRequest', i.payload, now() + $2 * interval '1 millisecond', i.traceparent
    from fresh f join incoming i on i."jobId" = f.job_id and i."deliveryId" = f.delivery_id
    on conflict do nothing
    returning id, payload, forge, delivery_id
  ), logged as (
    insert into workflow_job_events (job_id, run, attempt, to_status, reason, actor)
    select c.id, 1, 0, 'PENDING', i.reason, coalesce(c.payload ->> 'sender', c.forge)
    from created c join incoming i on i."jobId" = c.id and i."deliveryId" = c.delivery_id
  )
  select id from created`

async function knownDelivery(
  db: Database,
  { forge, deliveryId, digest, jobId, pullRequest, request, command }: Delivery,
  replayFailed: boolean,
): Promise<RecordedDelivery> {
  const { rows } = await db.query<KnownRow>(
    `select d.job_id as "jobId", j.status,
       coalesce(j.status = 'CANCELLED' and j.error ->> 'code' = 'PULL_REQUEST_CLOSED' and not exists (
         select from pull_requests p where (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
           and p.updated_at > $4), false) as "mayBeOpenAgain",
       case when j.id is not null then
         jsonb_build_object('type', j.type, 'version', j.version, 'fence', j.fence::text) end as job
     from deliveries d left join workflow_jobs j on j.id = d.job_id
     where d.forge = $1 and (d.delivery_id = $2 or d.digest = decode($3, 'hex'))
     order by d.delivery_id = $2 desc limit 1`,
    [forge, deliveryId, digest, pullRequest?.updatedAt ?? null],
  )
  const { mayBeOpenAgain, ...known } = rows[0] ?? { jobId, status: null, job: null, mayBeOpenAgain: false }
  const reason = replayFailed && whyReplay({ ...known, mayBeOpenAgain }, jobId)
  if (!reason) return { ...known, duplicate: true }

  const actor = request?.sender ?? command?.sender ?? forge
  const replayed = await transitionJob(db, 'replay', { jobId: known.jobId, actor, reason })
  if (!replayed) return { ...known, duplicate: true }
  const { id, status, type, version, fence } = replayed
  return { jobId: id, status, duplicate: true, job: { type, version, fence } }
}

interface KnownRow extends Pick<RecordedDelivery, 'jobId' | 'status' | 'job'> {
  /** Cancelled because it was closed, and nothing newer is known than what is told now. */
  mayBeOpenAgain: boolean
}

/** Of a captured body the claim asks the forge: what is still closed is cancelled again, and nothing is reviewed. */
function whyReplay({ jobId: known, status, mayBeOpenAgain }: KnownRow, jobId: string): string | undefined {
  if (status === 'FAILED' && known === jobId) return 'redelivered by the forge'
  if (mayBeOpenAgain && known !== jobId) return 'told again of the same second: it may be open again'
  return undefined
}
