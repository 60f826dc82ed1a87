import { setTimeout as sleep } from 'node:timers/promises'
import type { Forge } from '../forges/forge.ts'
import { MAX_LAPSES } from '../jobs/job.ts'
import { knownJobType } from '../jobs/job-types.ts'
import type { JobMessage } from '../jobs/queue.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Model } from '../models/model.ts'
import { runPipeline } from '../review/pipeline.ts'
import { claimJob } from '../store/claim-job.ts'
import type { DatabasePool } from '../store/database.ts'
import { findSuperseding } from '../store/find-superseding.ts'
import { leaveJob } from '../store/leave-job.ts'
import { isDataError, namingOutages } from '../store/outages.ts'
import { type MovedJob, transitionJob } from '../store/transition-job.ts'
import { type Attempt, startAttempt } from './attempt.ts'
import { recordFailure } from './record-failure.ts'
import { reviewPorts } from './review-ports.ts'

export interface JobRunner {
  db: DatabasePool
  forges: Partial<Record<ForgeName, Forge>>
  model: Model | undefined
  /** This worker's name, in leases and in the log of transitions. */
  worker: string
  log: Log
  /** The attempts under way, so that a stopping worker can hand them back. */
  attempts: Set<Attempt>
  /** Aborted when the worker stops taking jobs. */
  stopping: AbortSignal
}

/** How long a job that this build does not know is left to a build that does. */
const UNKNOWN_TYPE_SECONDS = 60

const DATABASE_RETRY_MS = 1_000

/**
 * Takes one job from claim to record: the whole life of an attempt.
 *
 * @returns `leave` when the worker stopped before it could claim: the message must go back to the queue
 */
export async function runJob(message: JobMessage, runner: JobRunner): Promise<'done' | 'leave'> {
  const { db, worker } = runner
  const type = knownJobType(message.type, message.version)
  if (!type) {
    runner.log.warn(
      { jobId: message.jobId },
      `left a job of unknown type ${message.type} v${message.version}`,
    )
    await leaveJob(db, message.jobId, UNKNOWN_TYPE_SECONDS)
    return 'done'
  }

  const claimed = await claimWhenPossible(message.jobId, runner)
  if (claimed === 'stopping') return 'leave'
  if (!claimed) return 'done'

  const job = claimed
  const log = runner.log.child({ jobId: job.id, deliveryId: job.deliveryId })
  const attempt = startAttempt(db, job, { deadlineMs: type.deadlineMs, log })
  runner.attempts.add(attempt)
  // The worker may have been told to stop while the claim was on its way.
  if (runner.stopping.aborted) attempt.stop('worker-stops')
  try {
    if (await isRefused(job, runner, log)) return 'done'
    log.info(
      { attempt: job.attempts, run: job.run },
      `claimed: ${job.payload.repository} ${job.payload.head}`,
    )
    const ports = reviewPorts(attempt, { ...runner, forge: forgeOf(job, runner), log })
    const review = await runPipeline(job.payload, ports, log)
    const completed = await namingOutages(
      transitionJob(db, 'complete', {
        jobId: job.id,
        fence: job.fence,
        actor: worker,
        reason: `${review.findings.length} findings`,
      }),
    )
    log.info(
      { findings: review.findings.length },
      completed ? 'completed' : 'reviewed, but the job was no longer ours',
    )
  } catch (error) {
    await recordFailure({ db, job, worker, maxAttempts: type.maxAttempts, log }, attempt.signal, error)
  } finally {
    attempt.end()
    runner.attempts.delete(attempt)
  }
  return 'done'
}

/**
 * Claims a job, through an outage of the database too: the message stays unacknowledged and its slot taken
 * meanwhile, so that a worker that can do nothing also takes nothing.
 */
async function claimWhenPossible(
  jobId: string,
  { db, worker, log, stopping }: JobRunner,
): Promise<MovedJob | undefined | 'stopping'> {
  while (!stopping.aborted) {
    try {
      return await claimJob(db, jobId, worker)
    } catch (error) {
      // Whatever else is wrong (a password, a schema, a standby), the job must not be lost over it.
      if (isDataError(error)) throw error
      log.warn({ jobId }, `cannot claim, trying on: ${messageOf(error)}`)
      await sleep(DATABASE_RETRY_MS, undefined, { signal: stopping }).catch(() => {})
    }
  }
  return 'stopping'
}

/**
 * Ends a job that is not to be run: it keeps killing its workers, or its head is not the newest any more.
 * Once an attempt has committed to posting, superseding is too late: that review is posted first.
 */
async function isRefused(job: MovedJob, { db, worker }: JobRunner, log: Log): Promise<boolean> {
  const move = { jobId: job.id, fence: job.fence, actor: worker }
  if (job.lapses > MAX_LAPSES) {
    const error = new KodusError(
      'WORKERS_KEEP_DYING',
      `${job.lapses} workers stopped while they ran this job.`,
      {
        help: 'Look for what the workers died of (memory, most often), then replay the job.',
      },
    ).report()
    await namingOutages(transitionJob(db, 'fail', { ...move, reason: error.message, error }))
    log.error({ code: error.code }, error.message)
    return true
  }
  const superseding = await namingOutages(findSuperseding(db, job.id))
  if (!superseding) return false
  const superseded = await namingOutages(transitionJob(db, 'supersede', { ...move, reason: superseding }))
  if (superseded) log.info(`superseded: ${superseding}`)
  return superseded !== undefined
}

function forgeOf(job: MovedJob, { forges }: JobRunner): Forge {
  const forge = forges[job.forge]
  if (forge) return forge
  throw new KodusError('FORGE_NOT_SUPPORTED', `This worker cannot read changes from ${job.forge} yet.`, {
    help: 'The webhook is kept: deploy a worker that supports the forge, then replay the job.',
  })
}
