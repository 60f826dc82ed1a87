import { connect } from 'amqplib'
import type { Pool } from 'pg'
import { isFinal, type JobStatus, TRANSITIONS } from '../src/jobs/job.ts'
import { jobIdOf } from '../src/jobs/review-request.ts'
import { DEAD_LETTER_QUEUE, INTAKE_QUEUE, JOBS_QUEUE } from '../src/jobs/topology.ts'
import type { Courier, Sent } from './courier.ts'
import type { Posted } from './forge-log.ts'
import { groupBy } from './group-by.ts'
import type { Broker } from './stores.ts'
import type { Pull } from './stories.ts'

/** The promises, by the name that the last line of the report has for the number of times that each was broken. */
export const PROMISES = {
  lost: 'every delivery answered 202 has its job, in a final state, or is a known duplicate, update or ignored event',
  bad_answers: 'nothing is answered but 202 and 503',
  duplicated: 'one review a run, and one for each head of a pull request unless forced; one job a delivery',
  duplicated_comments: 'one comment for each finding of a review, one summary for each pull request',
  superseded_posted: 'no intent to post is committed after a newer head was recorded',
  stale_writes: 'nobody writes for a job but the worker that holds it',
  broken_histories: 'a job moves only as the table of states allows, and has one final state a run',
  stuck: 'nothing waits or runs when all is quiet',
  unreviewed: 'the newest head of every open pull request has been reviewed, or its job says why not',
  orphans: 'no message is left in any queue, no tombstone without its job',
  infrastructure_failures: 'no job failed because of our own stores',
  refused_by_forge: 'the forge was asked for nothing that its description does not allow',
  crashes: 'no process ended but by our hand, and each that was asked to stop did so in time',
} as const

export type Promised = keyof typeof PROMISES

/** What each promise was broken by, in words that name the job. */
export type Verdict = Record<Promised, string[]>

export interface Evidence {
  db: Pool
  broker: Broker | undefined
  courier: Courier
  pulls: readonly Pull[]
  posted: readonly Posted[]
  violations: readonly string[]
  crashes: readonly string[]
}

const QUEUES = [JOBS_QUEUE, INTAKE_QUEUE, DEAD_LETTER_QUEUE]

interface JobRow {
  id: string
  type: string
  status: JobStatus
  run: number
  repository: string
  pullRequest: string | null
  deliveryId: string
  head: string | null
  force: boolean
  code: string | null
}

export async function judge(evidence: Evidence): Promise<Verdict> {
  const { db, broker, courier, pulls, posted } = evidence
  const jobs = await readJobs(db)
  return {
    lost: findLost(courier, jobs),
    bad_answers: [...courier.stats.bad],
    duplicated: [...findDuplicatedReviews(posted, pulls), ...findDuplicatedJobs(courier, jobs)],
    duplicated_comments: findDuplicatedComments(pulls),
    superseded_posted: await findSupersededIntents(db),
    stale_writes: await findStaleWrites(db),
    broken_histories: await findBrokenHistories(db, jobs),
    stuck: [...jobs.values()]
      .filter(({ status }) => !isFinal(status))
      .map((job) => `${job.id} is ${job.status}`),
    unreviewed: await findUnreviewed(db, pulls, posted, jobs),
    orphans: [...(await findLeftMessages(broker)), ...(await findOrphanedRows(db))],
    infrastructure_failures: [...jobs.values()]
      .filter(
        ({ status, code }) =>
          status === 'FAILED' && /^(DATABASE|QUEUE|STORES|LEASE|UNEXPECTED|WORKER)/.test(code ?? ''),
      )
      .map(({ id, code }) => `${id} failed with ${code}`),
    refused_by_forge: [...evidence.violations],
    crashes: [...evidence.crashes],
  }
}

async function readJobs(db: Pool): Promise<Map<string, JobRow>> {
  const { rows } = await db.query<JobRow>(
    `select id, type, status, run, repository, pull_request as "pullRequest", delivery_id as "deliveryId",
       payload ->> 'head' as head, coalesce(payload ->> 'force', 'false') = 'true' as force, error ->> 'code' as code
     from workflow_jobs`,
  )
  return new Map(rows.map((job) => [job.id, job]))
}

function findLost(courier: Courier, jobs: ReadonlyMap<string, JobRow>): string[] {
  const bodies = groupBodies(courier)
  const lost: string[] = []
  for (const { guid, accepted, digest } of courier.sent.values()) {
    if (accepted.length === 0) lost.push(`delivery ${guid} was never accepted`)
    for (const { jobId, ignored, updated } of accepted) {
      if (ignored !== undefined || updated !== undefined) continue
      if (jobId === undefined) lost.push(`delivery ${guid} was accepted without a job`)
      // A body that came under another id too has one job, under either: the broker cannot tell the sender which.
      const known = bodies.get(digest)?.flatMap((each) => jobs.get(jobIdOf('github', each.guid)) ?? [])
      if (!known || known.length === 0) lost.push(`job ${jobId} of delivery ${guid} is not there`)
      for (const { id, status } of known ?? []) {
        if (!isFinal(status)) lost.push(`job ${id} of delivery ${guid} has not ended`)
      }
    }
  }
  return lost
}

/** The deliveries that brought the same body: sent again by somebody, or the same thing twice in one second. */
function groupBodies(courier: Courier): Map<string, Sent[]> {
  return groupBy(courier.sent.values(), ({ digest }) => digest)
}

/** Whatever ids a body came under, over whichever path: the handlers name its job, and there is one. */
function findDuplicatedJobs(courier: Courier, jobs: ReadonlyMap<string, JobRow>): string[] {
  return [...groupBodies(courier).values()].flatMap((deliveries) => {
    const possible = deliveries.map(({ guid }) => jobIdOf('github', guid))
    const there = possible.filter((id) => jobs.has(id))
    const several = there.length > 1 ? [`one body has the jobs ${there.join(', ')}`] : []
    const strange = deliveries.flatMap(({ guid, accepted }) =>
      accepted
        .flatMap(({ jobId }) => jobId ?? [])
        .filter((jobId) => !possible.includes(jobId))
        .map((jobId) => `delivery ${guid} was answered with job ${jobId}`),
    )
    return [...several, ...strange]
  })
}

function findDuplicatedReviews(posted: readonly Posted[], pulls: readonly Pull[]): string[] {
  const broken: string[] = []
  const runs = new Map<string, number>()
  for (const { jobId, run } of posted)
    runs.set(`${jobId} run ${run}`, (runs.get(`${jobId} run ${run}`) ?? 0) + 1)
  for (const [run, times] of runs) if (times > 1) broken.push(`job ${run} has posted ${times} reviews`)
  const forced = new Map(
    pulls.map(({ handle, forced }) => [`${handle.repository.fullName}#${handle.number}`, forced]),
  )
  const byPull = groupBy(posted, ({ pull }) => pull)
  for (const [pull, reviews] of byPull) {
    for (const [head, ofHead] of groupBy(reviews, ({ head }) => head)) {
      const allowed = forced.get(pull)?.has(head) ? 2 : 1
      if (ofHead.length > allowed) {
        broken.push(
          `${pull} has ${ofHead.length} reviews of ${head}: jobs ${ofHead.map(({ jobId }) => jobId).join(', ')}`,
        )
      }
    }
  }
  return broken
}

function findDuplicatedComments(pulls: readonly Pull[]): string[] {
  const broken: string[] = []
  for (const { handle, forced } of pulls) {
    const name = `${handle.repository.fullName}#${handle.number}`
    const summaries = handle.comments().filter(({ body }) => body.startsWith('<!-- kodus:summary:'))
    if (summaries.length > 1) broken.push(`${name} has ${summaries.length} summaries`)
    const findings = handle
      .reviewComments()
      .map(({ body }) => /^<!-- kodus:finding:([^:]*):/.exec(body)?.[1] ?? '')
    for (const [finding, times] of groupBy(findings, (each) => each)) {
      if (finding !== '' && times.length > 1 + forced.size)
        broken.push(`${name}: the finding ${finding} stands there ${times.length} times`)
    }
  }
  return broken
}

/** By what was recorded when the intent was written, and, should nobody have locked anything, when it was committed. */
async function findSupersededIntents(db: Pool): Promise<string[]> {
  const { rows } = await db.query<{ job: string; head: string; recorded: string; state: string }>(
    `select i.job_id as job, i.head, i.recorded_head as recorded, i.recorded_state as state
     from chaos.intents i where i.recorded_head is distinct from i.head or i.recorded_state <> 'open'
     union
     select i.job_id, i.head, last.head, last.state from chaos.intents i
     join workflow_jobs j on j.id = i.job_id
     cross join lateral (
       select h.head, h.state from chaos.heads h
       where (h.forge, h.repository, h.pull_request) = (j.forge, j.repository, j.pull_request)
         and pg_xact_commit_timestamp(h.xid) < pg_xact_commit_timestamp(i.xid)
       order by pg_xact_commit_timestamp(h.xid) desc limit 1) last
     where last.head <> i.head or last.state <> 'open'`,
  )
  return rows.map(
    ({ job, head, recorded, state }) =>
      `job ${job} committed to posting for ${head} when ${recorded} (${state}) was recorded`,
  )
}

async function findStaleWrites(db: Pool): Promise<string[]> {
  const { rows } = await db.query<{
    job: string
    what: string
    writer: string
    holder: string | null
    at: string
  }>(`select job_id as job, what, writer, holder, at::text from chaos.stale_writes order by at`)
  const { rows: seen } = await db.query<{ is_called: boolean }>('select is_called from chaos.looked_at')
  const blind = seen[0]?.is_called ? [] : ['the audit has seen no write at all']
  return [
    ...blind,
    ...rows.map(
      ({ job, what, writer, holder, at }) =>
        `job ${job}: ${writer} ${what}, held by ${holder ?? 'nobody'}, at ${at}`,
    ),
  ]
}

interface EventRow {
  job: string
  run: number
  from: JobStatus | null
  to: JobStatus
}

async function findBrokenHistories(db: Pool, jobs: ReadonlyMap<string, JobRow>): Promise<string[]> {
  const { rows } = await db.query<EventRow>(
    `select job_id as job, run, from_status as from, to_status as to from workflow_job_events
     where stage is null order by job_id, id`,
  )
  const allowed = new Set(
    Object.values(TRANSITIONS).flatMap(({ from, to }) => from.map((each) => `${each} ${to}`)),
  )
  const broken: string[] = []
  const histories = groupBy(rows, ({ job }) => job)
  for (const [id, job] of jobs) {
    const history = histories.get(id) ?? []
    let status: JobStatus | null = null
    let ends = 0
    let run = 1
    for (const event of history) {
      const begins = status === null && event.from === null && event.to === 'PENDING'
      if (event.from !== status || !(begins || allowed.has(`${event.from} ${event.to}`))) {
        broken.push(`job ${id} went from ${status} to ${event.to}, and says from ${event.from}`)
      }
      if (event.run !== run) {
        if (event.run !== run + 1 || event.to !== 'PENDING')
          broken.push(`job ${id} went from run ${run} to ${event.run} by becoming ${event.to}`)
        run = event.run
        ends = 0
      }
      if (isFinal(event.to)) ends += 1
      if (ends > 1) broken.push(`job ${id} has ended ${ends} times in run ${run}`)
      status = event.to
    }
    if (status !== job.status || run !== job.run) {
      broken.push(`job ${id} is ${job.status} in run ${job.run}; its history says ${status} in run ${run}`)
    }
  }
  return broken
}

async function findUnreviewed(
  db: Pool,
  pulls: readonly Pull[],
  posted: readonly Posted[],
  jobs: ReadonlyMap<string, JobRow>,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'select job_id as id from reviews where posted_at is not null',
  )
  const toldPosted = new Set(rows.map(({ id }) => id))
  const keyOf = (repository: string, number: string | number | null, head: string | null) =>
    `${repository}#${number}@${head}`
  const reviewed = new Set(posted.map(({ pull, head }) => `${pull}@${head}`))
  const jobsOf = groupBy([...jobs.values()], ({ repository, pullRequest, head }) =>
    keyOf(repository, pullRequest, head),
  )
  const broken: string[] = []
  for (const { handle, open, draft } of pulls) {
    if (!open || draft) continue
    const key = keyOf(handle.repository.fullName, handle.number, handle.head())
    if (reviewed.has(key)) continue
    const own = jobsOf.get(key) ?? []
    // A person may have cancelled it (not because it was closed), and a job that failed is listed: both say so.
    if (own.some(({ status, code }) => status === 'FAILED' || (status === 'CANCELLED' && code === null)))
      continue
    const states = own.map(
      ({ id, status }) => `${id} ${status}${toldPosted.has(id) ? ', recorded as posted' : ''}`,
    )
    broken.push(`${key} has no review; its jobs: ${states.join('; ') || 'none'}`)
  }
  return broken
}

/** What the queues hold when nobody consumes any more: all that was unacknowledged is back in them. */
async function findLeftMessages(broker: Broker | undefined): Promise<string[]> {
  if (!broker) return []
  const connection = await connect(broker.url)
  try {
    const channel = await connection.createChannel()
    const queues = await Promise.all(QUEUES.map((name) => channel.checkQueue(name)))
    return queues
      .filter(({ messageCount }) => messageCount !== 0)
      .map(({ queue, messageCount }) => `${queue} holds ${messageCount} messages`)
  } finally {
    await connection.close()
  }
}

async function findOrphanedRows(db: Pool): Promise<string[]> {
  const { rows } = await db.query<{ what: string }>(
    `select 'the tombstone of ' || d.delivery_id || ' has no job ' || d.job_id as what
     from deliveries d left join workflow_jobs j on j.id = d.job_id where j.id is null
     union all
     select 'job ' || j.id || ' has no tombstone' from workflow_jobs j
     where not exists (select from deliveries d where d.job_id = j.id)
     union all
     select 'job ' || id || ' has ended and still has a lease or a due time' from workflow_jobs
     where finished_at is not null and (lease_until is not null or due_at is not null or worker is not null)
     union all
     select 'a dead letter from ' || queue || ': ' || reason from dead_letters`,
  )
  return rows.map(({ what }) => what)
}
