import assert from 'node:assert/strict'
import { announceJobs } from '../../../src/store/announce-jobs.ts'
import type { Answer, PullRequest } from '../../github/server.ts'
import { ORDERS } from './orders.ts'
import { type Stack, summaryOf, threadsOf, until } from './stack.ts'

/** What is recorded of a job, as far as a failure shows in it. */
export interface Recorded {
  id: string
  status: string
  attempts: number
  /** Of its last failure, as the API tells it. */
  error: { code: string; message: string; help: string } | null
  /** The error code of each attempt of any run that failed, by the log of transitions. */
  failures: string[]
}

interface Row extends Omit<Recorded, 'failures'> {
  run: number
  dueInSeconds: number | null
}

const FINAL = ['COMPLETED', 'FAILED', 'CANCELLED', 'SUPERSEDED']

/** A pull request with two mistakes in it; nobody waits for its review. */
export function open({ github }: Stack, name: string): PullRequest {
  const repository = github.createRepository(name, { files: ORDERS.base })
  repository.commit('feature', ORDERS.twoMistakes)
  return repository.openPullRequest({ head: 'feature' })
}

/** The newest job of a repository, once there is one. */
export async function newestJob({ db }: Stack, repository: string, type = 'code-review'): Promise<Row> {
  let newest: Row | undefined
  await until(async () => {
    const { rows } = await db.query<Row>(
      `select id, status, run, attempts, error, extract(epoch from due_at - now())::float8 as "dueInSeconds"
       from workflow_jobs where repository = $1 and type = $2 order by created_at desc limit 1`,
      [repository, type],
    )
    newest = rows[0]
    return newest !== undefined
  })
  assert.ok(newest)
  return newest
}

/**
 * Brings a repository's newest job to its end: what is to be tried again later is due at once, after people were
 * told that it waits.
 *
 * @param toldBy how often people have been told so far that it waits
 */
export async function ended(
  stack: Stack,
  repository: string,
  toldBy: (repository: string) => number = (name) => told(stack, name, 'Waiting').length,
): Promise<Recorded> {
  for (;;) {
    const job = await newestJob(stack, repository)
    if (FINAL.includes(job.status)) return recorded(stack, job)
    if (job.status === 'RETRYING') {
      const { failures } = await recorded(stack, job)
      await until(() => toldBy(repository) >= failures.length)
      await makeDue(stack, job.id)
    }
    await until(async () => (await newestJob(stack, repository)).status !== job.status)
  }
}

/** As if the time that a job waits for had come. */
export async function makeDue({ db }: Stack, jobId: string): Promise<void> {
  await db.query(
    `update workflow_jobs set due_at = now(), run_at = now() where id = $1 and status = 'RETRYING'`,
    [jobId],
  )
  await announceJobs(db)
}

async function recorded({ db }: Stack, { id, status, attempts, error }: Row): Promise<Recorded> {
  const { rows } = await db.query<{ reason: string }>(
    `select reason from workflow_job_events
     where job_id = $1 and from_status = 'PROCESSING' and to_status in ('RETRYING', 'FAILED') order by id`,
    [id],
  )
  const failures = rows.map(({ reason }) => reason.split(':')[0] ?? '')
  return { id, status, attempts, error, failures }
}

/** What check runs of a repository were made to say under a title, in the order of the requests that went well. */
export function told({ github }: Stack, repository: string, title: string): string[] {
  return github.requests
    .filter(
      ({ method, path, status }) =>
        method !== 'GET' && status < 300 && path.startsWith(`/repos/${repository}/check-runs`),
    )
    .map(({ body }) => (body as { output: { title: string; summary: string } }).output)
    .filter((output) => output.title === title)
    .map(({ summary }) => summary)
}

/** The newest check run of the head, ended, when there are as many. */
export async function lastCheck(pull: PullRequest, runs = 1): Promise<Answer> {
  const all = () => pull.repository.checkRuns(pull.head())
  await until(() => all().length >= runs && all()[0]?.status === 'completed')
  return all()[0]
}

/** Everything is there, and once: one review, each finding in it, one summary, one check run for each run. */
export async function assertWhole(pull: PullRequest, { runs = 1 } = {}): Promise<void> {
  assertReviewed(pull)
  assert.match(summaryOf(pull).body, /\*\*2 findings open \(2 high\)\.\*\* 2 new\./)
  const { conclusion, output, annotations } = await lastCheck(pull, runs)
  assert.deepEqual([conclusion, output.title], ['neutral', '2 findings open (2 high)'])
  assert.deepEqual(
    annotations.map(({ start_line }: { start_line: number }) => start_line),
    [6, 14],
  )
  const checks = pull.repository.checkRuns(pull.head())
  assert.deepEqual(
    checks.map(({ status }) => status),
    Array(runs).fill('completed'),
  )
}

/** One review, submitted, with each finding once. */
export function assertReviewed(pull: PullRequest): void {
  const reviews = pull.reviews().map(({ state, commit_id }) => [state, commit_id])
  assert.deepEqual(reviews, [['COMMENTED', pull.head()]])
  const threads = threadsOf(pull).map(({ at, said }) => [at, said])
  assert.deepEqual(threads, [
    ['orders.py:6', 1],
    ['orders.py:14', 1],
  ])
}

/** No review, not even a pending one, and no comment. */
export function assertNothingPosted(pull: PullRequest): void {
  assert.deepEqual([pull.reviews(), pull.comments()], [[], []])
}
