import { KodusError } from '../lib/errors.ts'
import { superseded } from '../review/superseded.ts'
import { findOlderTwin } from '../store/find-older-twin.ts'
import { findSuperseding } from '../store/find-superseding.ts'
import { namingOutages } from '../store/outages.ts'
import type { MovedJob } from '../store/transition-job.ts'
import type { JobRunner } from './job-runner.ts'
import { observeHead } from './request-review.ts'

type Asking = Pick<JobRunner, 'db' | 'queue' | 'forges'>

/**
 * Why a claimed review is not wanted any more: its pull request has another head, or is closed or merged. Asked at
 * the claim and with every renewal of the lease. Webhooks of one second come in any order, so where the forge can
 * be asked, what they told is not believed before the forge says so too; and its head then has a job.
 *
 * @returns the reason to end the attempt for: SUPERSEDED or PULL_REQUEST_CLOSED; undefined while it is wanted
 * @throws KodusError DATABASE_UNAVAILABLE, or why the forge did not answer: then nothing is known
 */
export async function whySuperseded(
  job: MovedJob,
  runner: Asking,
  signal: AbortSignal,
): Promise<KodusError | undefined> {
  if (job.type !== 'code-review') return undefined
  const find = () => namingOutages(findSuperseding(runner.db, job.id))
  const told = await find()
  const { repository, pullRequest } = job.payload
  const forge = runner.forges[job.forge]?.pullRequests
  if (!told || pullRequest === null || !forge?.isAllowed(repository)) return told && superseded(told)

  await observeHead(runner, job, await forge.get(repository, pullRequest, signal))
  const confirmed = await find()
  return confirmed && superseded(confirmed)
}

/**
 * Why a review need not even begin: what `whySuperseded` says, or an older job is about to do the same.
 *
 * @throws as `whySuperseded`
 */
export async function whyNotBegin(
  job: MovedJob,
  runner: Asking,
  signal: AbortSignal,
): Promise<KodusError | undefined> {
  const reason = await whySuperseded(job, runner, signal)
  if (reason) return reason
  const twin = await namingOutages(findOlderTwin(runner.db, job.id))
  if (twin === undefined) return undefined
  const help = 'Nothing to do: that job reviews it.'
  return new KodusError('SUPERSEDED', `The older job ${twin} reviews the same commit.`, { help })
}
