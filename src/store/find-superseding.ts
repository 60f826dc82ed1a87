import type { Database } from './database.ts'

/**
 * Why a job's review is no longer wanted, by what the forge last told of its pull request.
 *
 * @returns a sentence, or undefined while the job's head is the pull request's head
 */
export async function findSuperseding(db: Database, jobId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ head: string; state: string }>(
    `select p.head, p.state from workflow_jobs j
     join pull_requests p on (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
     where j.id = $1 and (p.head <> j.payload ->> 'head' or p.state <> 'open')`,
    [jobId],
  )
  const pullRequest = rows[0]
  if (!pullRequest) return undefined
  if (pullRequest.state !== 'open') return `the pull request is ${pullRequest.state}`
  return `the pull request has moved on to ${pullRequest.head}`
}
