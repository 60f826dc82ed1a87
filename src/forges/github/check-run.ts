import { setTimeout as sleep } from 'node:timers/promises'
import type { ReviewStatus, Verdict } from '../forge.ts'
import { upToLength } from './bodies.ts'
import type { GitHubClient, Octokit } from './client.ts'
import { listAll, PER_PAGE } from './list-all.ts'
import { isPermanent } from './pull-request-place.ts'
import { splitRepository } from './repository-name.ts'

/** What the check is called at a pull request, and in the rules of a protected branch. */
const CHECK_NAME = 'kodus'

/** GitHub's limit for `summary` and `text`. */
const MAX_SUMMARY_LENGTH = 65_535

const MAX_TITLE_LENGTH = 255

const ATTEMPTS_AT_THE_END = 3

/** Where the check runs of a commit are. */
export interface Checks {
  octokit: Octokit
  appId: number
  repository: { owner: string; repo: string }
  head: string
}

export interface CheckRun {
  id: number
  isCompleted: boolean
  annotations: number
}

/** A replayed job gets a check run of its own: one that is completed is never opened again. */
export function externalId({ jobId, run }: { jobId: string; run: number }): string {
  return `${jobId}/${run}`
}

/** @returns the newest check run of this job and run */
export async function findCheckRun(
  { octokit, appId, repository, head }: Checks,
  job: { jobId: string; run: number },
): Promise<CheckRun | undefined> {
  const runs = await listAll(async (page) => {
    const { data, headers } = await octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...repository,
      ref: head,
      check_name: CHECK_NAME,
      app_id: appId,
      filter: 'all',
      per_page: PER_PAGE,
      page,
    })
    return { items: data.check_runs, headers }
  })
  const [newest] = runs
    .filter(({ external_id }) => external_id === externalId(job))
    .sort((a, b) => Number(b.id) - Number(a.id))
  return (
    newest && {
      id: Number(newest.id),
      isCompleted: newest.status === 'completed',
      annotations: newest.output.annotations_count,
    }
  )
}

export async function createCheckRun(
  { octokit, repository, head }: Checks,
  job: { jobId: string; run: number },
  state: CheckRunState,
): Promise<number> {
  const { data } = await octokit.request('POST /repos/{owner}/{repo}/check-runs', {
    ...repository,
    name: CHECK_NAME,
    head_sha: head,
    external_id: externalId(job),
    ...state,
  })
  return Number(data.id)
}

export async function updateCheckRun(
  { octokit, repository }: Checks,
  id: number,
  state: CheckRunState & { output: { annotations?: Annotation[] } },
): Promise<void> {
  await octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
    ...repository,
    check_run_id: id,
    ...state,
  })
}

export interface Annotation {
  path: string
  start_line: number
  end_line: number
  annotation_level: 'notice' | 'warning' | 'failure'
  title: string
  message: string
}

export type CheckRunState = { output: { title: string; summary: string } } & (
  | { status: 'in_progress' }
  | { status: 'completed'; conclusion: Verdict['conclusion'] }
)

export function concluded({ conclusion, title, summary }: Verdict): CheckRunState {
  return { status: 'completed', conclusion, output: output(title, summary) }
}

export function output(title: string, summary: string): CheckRunState['output'] {
  return {
    title: upToLength(title, MAX_TITLE_LENGTH),
    summary: upToLength(summary, MAX_SUMMARY_LENGTH),
  }
}

/** Shows how a review fares as a check run. @returns false with a token: only a GitHub App may have them */
export async function showCheckRun(
  client: GitHubClient,
  request: { repository: string; head: string },
  job: { jobId: string; run: number },
  status: ReviewStatus,
  signal: AbortSignal,
): Promise<boolean> {
  const checks = await checksOf(client, request, signal)
  if (!checks) return false
  // What is missed in between comes with the next step. An end that is missed would never come.
  const attempts = status.state === 'ended' ? ATTEMPTS_AT_THE_END : 1
  await repeatedly(attempts, signal, () => put(checks, job, stateOf(status)))
  return true
}

/** Looked for each time: whoever remembers it does not know that another worker concluded it. */
async function put(checks: Checks, job: { jobId: string; run: number }, state: CheckRunState): Promise<void> {
  const found = await findCheckRun(checks, job)
  if (!found) await createCheckRun(checks, job, state)
  else if (!found.isCompleted) await updateCheckRun(checks, found.id, state)
}

async function checksOf(
  client: GitHubClient,
  { repository, head }: { repository: string; head: string },
  signal: AbortSignal,
): Promise<Checks | undefined> {
  const { appId } = await client.identity(repository, signal)
  if (appId === null) return undefined
  const octokit = await client.forRepository(repository, signal)
  return { octokit, appId, head, repository: splitRepository(repository) }
}

async function repeatedly(attempts: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (let left = attempts - 1; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 0 || isPermanent(error)) throw error
      await sleep(1_000, undefined, { signal })
    }
  }
}

function stateOf(status: ReviewStatus): CheckRunState {
  switch (status.state) {
    case 'running':
      return {
        status: 'in_progress',
        output: output('Reviewing', `${status.percent} % done, now at ${status.stage}.`),
      }
    case 'waiting':
      return { status: 'in_progress', output: output('Waiting', status.reason) }
    case 'ended':
      return concluded(status.verdict)
  }
}
