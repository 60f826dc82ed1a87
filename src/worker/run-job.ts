import type { ReviewStatus } from '../forges/forge.ts'
import { forgeNotSupported } from '../forges/index.ts'
import { MAX_LAPSES } from '../jobs/job.ts'
import { JOB_TYPES } from '../jobs/job-types.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { abortable } from '../lib/abortable.ts'
import { KodusError, messageOf } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { reached } from '../lib/moments.ts'
import { namingOutages } from '../store/outages.ts'
import type { MovedJob } from '../store/transition-job.ts'
import { type Attempt, startAttempt } from './attempt.ts'
import type { JobRunner } from './job-runner.ts'
import { measureAttempt } from './measure-attempt.ts'
import { recordFailure } from './record-failure.ts'
import { commandWork } from './run-command.ts'
import { reviewWork } from './run-review.ts'
import { whyNotBegin, whySuperseded } from './why-superseded.ts'
import type { AttemptEnd, Work } from './work.ts'

/**
 * Runs a claimed job until it is recorded what became of it: the whole life of an attempt.
 *
 * @param ready what has to happen before the work begins; the lease is kept alive meanwhile
 */
export function runJob(job: MovedJob, runner: JobRunner, ready?: Promise<void>): Promise<void> {
  return measureAttempt(job, () => runAttempt(job, runner, ready))
}

async function runAttempt(job: MovedJob, runner: JobRunner, ready?: Promise<void>): Promise<AttemptEnd> {
  const { db, worker } = runner
  const type = JOB_TYPES[job.type]
  const log = runner.log.child({ jobId: job.id, deliveryId: job.deliveryId })
  const attempt = startAttempt(db, job, {
    whySuperseded: (signal) => whySuperseded(job, runner, signal),
    log,
  })
  runner.attempts.add(attempt)
  // The worker may have been told to stop while the claim was on its way.
  if (runner.stopping.aborted) attempt.stop('worker-stops')
  const work = workOf(job, attempt.signal, runner, log)
  let end: AttemptEnd
  try {
    if (ready) await untilReady(ready, attempt, runner.stopping)
    attempt.limit(type.deadlineMs)
    await refuse(job, runner, attempt.signal)
    end = await complete(job, await work.run(), work.shows?.(), runner, log)
  } catch (error) {
    end = await recordFailure({ db, job, worker, maxAttempts: type.maxAttempts, log }, attempt.signal, error)
  } finally {
    attempt.end()
    runner.attempts.delete(attempt)
  }
  reached('job-ended', { jobId: job.id, how: end.how })
  await work.tell(end).catch((error) => log.warn(`nobody was told (${end.how}): ${messageOf(error)}`))
  return end
}

async function untilReady(ready: Promise<void>, attempt: Attempt, stopping: AbortSignal): Promise<void> {
  const stop = () => attempt.stop('worker-stops')
  stopping.addEventListener('abort', stop, { once: true })
  await abortable(ready, attempt.signal).finally(() => stopping.removeEventListener('abort', stop))
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
 * Refuses a job that is not to be run: it keeps killing its workers, its head is not the newest any more, or an
 * older job reviews the same. Once an attempt has committed to posting, superseding is too late: that review
 * is posted first.
 *
 * @throws KodusError the reason
 */
async function refuse(job: MovedJob, runner: JobRunner, signal: AbortSignal): Promise<void> {
  if (job.lapses > MAX_LAPSES) throw workersKeepDying(job.lapses)
  const reason = await whyNotBegin(job, runner, signal)
  if (reason) throw reason
}

async function complete(
  job: MovedJob,
  reason: string,
  shows: ReviewStatus | undefined,
  runner: JobRunner,
  log: Log,
): Promise<AttemptEnd> {
  const move = { jobId: job.id, fence: job.fence, actor: runner.worker, reason, shows }
  const completed = await namingOutages(runner.complete(move))
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
