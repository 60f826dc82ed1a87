import { setTimeout as sleep } from 'node:timers/promises'
import { forgeNotSupported } from '../forges/index.ts'
import { MAX_LAPSES } from '../jobs/job.ts'
import { knownJobType } from '../jobs/job-types.ts'
import type { JobMessage } from '../jobs/queue.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { claimJob } from '../store/claim-job.ts'
import { findSuperseding } from '../store/find-superseding.ts'
import { leaveJob } from '../store/leave-job.ts'
import { isDataError, namingOutages } from '../store/outages.ts'
import { type MovedJob, transitionJob } from '../store/transition-job.ts'
import { startAttempt } from './attempt.ts'
import type { JobRunner } from './job-runner.ts'
import { recordFailure } from './record-failure.ts'
import { commandWork } from './run-command.ts'
import { reviewWork } from './run-review.ts'
import type { AttemptEnd, Work } from './work.ts'

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

  const job = await claimWhenPossible(message.jobId, runner)
  if (job === 'stopping') return 'leave'
  if (!job) return 'done'

  const log = runner.log.child({ jobId: job.id, deliveryId: job.deliveryId })
  const attempt = startAttempt(db, job, { deadlineMs: type.deadlineMs, log })
  runner.attempts.add(attempt)
  // The worker may have been told to stop while the claim was on its way.
  if (runner.stopping.aborted) attempt.stop('worker-stops')
  const work = workOf(job, attempt.signal, runner, log)
  let end: AttemptEnd
  try {
    end = (await refuse(job, runner, log)) ?? (await complete(job, await work.run(), runner, log))
  } catch (error) {
    end = await recordFailure({ db, job, worker, maxAttempts: type.maxAttempts, log }, attempt.signal, error)
  } finally {
    attempt.end()
    runner.attempts.delete(attempt)
  }
  await work.tell(end).catch((error) => log.warn(`nobody was told (${end.how}): ${messageOf(error)}`))
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

/** What is done for a job, by its type. */
function workOf(job: MovedJob, signal: AbortSignal, runner: JobRunner, log: Log): Work {
  const forge = runner.forges[job.forge]
  if (!forge) return impossibleWork(job.forge)
  switch (job.type) {
    case 'code-review':
      return reviewWork({ job, signal }, forge, runner, log)
    case 'command':
      return commandWork({ job, signal }, forge, runner, log)
  }
}

/**
 * Ends a job that is not to be run: it keeps killing its workers, its head is not the newest any more, or an
 * older job reviews the same. Once an attempt has committed to posting, superseding is too late: that review
 * is posted first.
 */
async function refuse(
  job: MovedJob,
  { db, worker, forges }: JobRunner,
  log: Log,
): Promise<AttemptEnd | undefined> {
  const move = { jobId: job.id, fence: job.fence, actor: worker }
  if (job.lapses > MAX_LAPSES) {
    const error = workersKeepDying(job.lapses)
    const report = error.report()
    const failed = await namingOutages(
      transitionJob(db, 'fail', { ...move, reason: error.message, error: report }),
    )
    log.error({ code: error.code }, error.message)
    return failed ? { how: 'failed', error } : { how: 'lost' }
  }
  const forgeIsAsked = forges[job.forge]?.pullRequests !== undefined
  const reason = await namingOutages(findSuperseding(db, job.id, { forgeIsAsked }))
  if (!reason) return undefined
  const superseded = await namingOutages(transitionJob(db, 'supersede', { ...move, reason }))
  if (!superseded) return undefined
  log.info(`superseded: ${reason}`)
  return { how: 'superseded', reason }
}

async function complete(
  job: MovedJob,
  reason: string,
  { db, worker }: JobRunner,
  log: Log,
): Promise<AttemptEnd> {
  const move = { jobId: job.id, fence: job.fence, actor: worker, reason }
  const completed = await namingOutages(transitionJob(db, 'complete', move))
  log.info(completed ? `completed: ${reason}` : `done (${reason}), but the job was no longer ours`)
  return completed ? { how: 'completed' } : { how: 'lost' }
}

function workersKeepDying(lapses: number): KodusError {
  return new KodusError('WORKERS_KEEP_DYING', `${lapses} workers stopped while they ran this job.`, {
    help: 'Look for what the workers died of (memory, most often), then replay the job.',
  })
}

function impossibleWork(forge: ForgeName): Work {
  return {
    async run() {
      throw forgeNotSupported(forge)
    },
    tell: async () => {},
  }
}
