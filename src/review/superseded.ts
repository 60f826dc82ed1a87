import type { PullRequestState } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'

const HELP = "Nothing to do: there is nothing left to review here. The job's events say what happened."

/**
 * Why a pull request, as it is now, leaves nothing to review of an older head, or at all: PULL_REQUEST_CLOSED,
 * which cancels the job, or SUPERSEDED.
 */
export function superseded({ head, state }: Pick<PullRequestState, 'head' | 'state'>): KodusError {
  if (state !== 'open') {
    return new KodusError('PULL_REQUEST_CLOSED', `The pull request is ${state}.`, { help: HELP })
  }
  return new KodusError('SUPERSEDED', `The pull request has moved on to ${head}.`, { help: HELP })
}
