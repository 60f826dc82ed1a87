import { KodusError } from '../../lib/errors.ts'
import type { GitHubClient, GitHubIdentity, Octokit } from './client.ts'
import { createMarkers, type Markers } from './marker.ts'
import { splitRepository } from './repository-name.ts'

/** One pull request at GitHub, as somebody who posts there needs it. */
export interface PullRequestPlace {
  /** Its requests end with `signal`. */
  octokit: Octokit
  us: GitHubIdentity
  markers: Markers
  signal: AbortSignal
  /** Parameters of GitHub's routes: spread one into a request. */
  repository: { owner: string; repo: string }
  pull: PullRequestPlace['repository'] & { pull_number: number }
  /** To GitHub, a pull request's conversation is an issue's. */
  issue: PullRequestPlace['repository'] & { issue_number: number }
}

/** @throws KodusError GITHUB_PULL_REQUEST_MISSING, or why the client cannot work for this repository */
export async function findPlace(
  { client, markerKey }: { client: GitHubClient; markerKey: Buffer },
  of: { repository: string; pullRequest: string | null },
  signal: AbortSignal,
): Promise<PullRequestPlace> {
  const number = Number(of.pullRequest)
  if (of.pullRequest === null || !Number.isSafeInteger(number) || number < 1) {
    throw new KodusError('GITHUB_PULL_REQUEST_MISSING', 'The job names no pull request of GitHub.', {
      help: 'Nothing can be posted without its number. A webhook of GitHub always has one.',
    })
  }
  const repository = splitRepository(of.repository)
  return {
    octokit: await client.forRepository(of.repository, signal),
    us: await client.identity(of.repository, signal),
    markers: createMarkers(markerKey, { repository: of.repository, pullRequest: String(number) }),
    signal,
    repository,
    pull: { ...repository, pull_number: number },
    issue: { ...repository, issue_number: number },
  }
}

/** Whether we wrote something: by the account's id, which no renaming changes. */
export function isOurs(
  { us }: PullRequestPlace,
  { user }: { user?: { id: number | bigint } | null },
): boolean {
  return user?.id === us.id
}

export function hasCode(error: unknown, ...codes: string[]): error is KodusError {
  return error instanceof KodusError && codes.includes(error.code)
}

/** Whether trying again is pointless: a missing permission, something deleted or locked. */
export function isPermanent(error: unknown): error is KodusError {
  return error instanceof KodusError && error.retryability === 'permanent'
}
