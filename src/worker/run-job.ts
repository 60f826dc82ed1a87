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
import { type DatabasePool, isDatabaseUnavailable, namingOutages } from '../store/database.ts'
import { findSuperseding } from '../store/find-superseding.ts'
import { leaveJob } from '../store/leave-job.ts'
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

/** Takes one job from claim to record: the whole life of an attempt. */
export async function runJob(message: JobMessage, runner: JobRunner): Promise<void> {
  const { db, worker } = runner
  const type = knownJobType(message.type, message.version)
  if (!type) {
    runner.log.warn(
      { jobId: message.jobId },
      `left a job of unknown type ${message.type} v${message.version}`,
    )
    await leaveJob(db, message.jobId, UNKNOWN_TYPE_SECONDS)
    return
  }

  const job = await whileDatabaseIsAway(() => claimJob(db, message.jobId, worker), runner)
  if (!job) return
  const log = runner.log.child({ jobId: job.id, deliveryId: job.deliveryId })
  if (await refuse(job, runner, log)) return

  log.info({ attempt: job.attempts, run: job.run }, `claimed: ${job.payload.repository} ${job.payload.head}`)
  const attempt = startAttempt(db, job, { deadlineMs: type.deadlineMs, log })
  runner.attempts.add(attempt)
  try {
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
}

/**
 * Keeps trying an operation through an outage of the database. The job's message stays unacknowledged and
 * its slot taken, so that a worker that can do nothing also takes nothing. If the worker is stopped
 * meanwhile this never settles: closing the queue's connection gives the message back.
 */
async function whileDatabaseIsAway<T>(operation: () => Promise<T>, { log, stopping }: JobRunner): Promise<T> {
  for (;;) {
    try {
      return await operation()
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error
      log.warn(`waiting for the database: ${messageOf(error)}`)
      await sleep(DATABASE_RETRY_MS)
      if (stopping.aborted) await new Promise<never>(() => {})
    }
  }
}

/** Ends a job that is not to be run: its head is not the newest any more, or it keeps killing its workers. */
async function refuse(job: MovedJob, { db, worker }: JobRunner, log: Log): Promise<boolean> {
  const superseding = await findSuperseding(db, job.id)
  if (superseding) {
    await transitionJob(db, 'supersede', {
      jobId: job.id,
      fence: job.fence,
      actor: worker,
      reason: superseding,
    })
    log.info(`superseded: ${superseding}`)
    return true
  }
  if (job.lapses <= MAX_LAPSES) return false
  const error = new KodusError(
    'WORKERS_KEEP_DYING',
    `${job.lapses} workers stopped while they ran this job.`,
    {
      help: 'Look for what the workers died of (memory, most often), then replay the job.',
    },
  ).report()
  await transitionJob(db, 'fail', {
    jobId: job.id,
    fence: job.fence,
    actor: worker,
    reason: error.message,
    error,
  })
  log.error({ code: error.code }, error.message)
  return true
}

function forgeOf(job: MovedJob, { forges }: JobRunner): Forge {
  const forge = forges[job.forge]
  if (forge) return forge
  throw new KodusError('FORGE_NOT_SUPPORTED', `This worker cannot read changes from ${job.forge} yet.`, {
    help: 'The webhook is kept: deploy a worker that supports the forge, then replay the job.',
  })
}
