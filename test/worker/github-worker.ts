import { createHash, randomUUID } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { readGitHubConfig } from '../../src/forges/github/config.ts'
import { createForges } from '../../src/forges/index.ts'
import { WEBHOOK_SOURCES } from '../../src/forges/webhooks.ts'
import { createPostgresQueue } from '../../src/jobs/postgres-queue.ts'
import { type Delivery, jobIdOf } from '../../src/jobs/review-request.ts'
import { readGitSettings } from '../../src/lib/git/config.ts'
import { openMirrorCache } from '../../src/lib/git/mirror-cache.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Model } from '../../src/models/model.ts'
import type { Review } from '../../src/review/review.ts'
import { claimJobs } from '../../src/store/claim-jobs.ts'
import { getJob } from '../../src/store/get-job.ts'
import { installationKey } from '../../src/store/installation-key.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { listJobs } from '../../src/store/list-jobs.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { completeTogether } from '../../src/worker/complete-jobs.ts'
import type { JobRunner } from '../../src/worker/job-runner.ts'
import { runJob } from '../../src/worker/run-job.ts'
import { type GitHub, startGitHub } from '../github/server.ts'
import { NO_LIMITS } from '../support/claim-job.ts'
import { createDatabase } from '../support/database.ts'

/** Two lines that the rules find something in, each in a file of its own. */
export const FLAWED = {
  'orders.py': 'def total(items, seen=[]):\n    seen.append(items)\n    return sum(items)\n',
}

/** A model that answers whatever it is made to. */
export function aModel(answer: () => Promise<unknown>): Model {
  return {
    name: 'test-model',
    answer: async () => ({ value: await answer(), inputTokens: 1, outputTokens: 1 }),
  }
}

export type GitHubWorker = Awaited<ReturnType<typeof startGitHubWorker>>

/**
 * A GitHub with the repository octo/shop, in which mona may write, and what a worker runs its jobs with. What
 * GitHub would send arrives when it is `receive`d, and what waits is run when `run` is called.
 */
export async function startGitHubWorker(
  t: TestContext,
  { env = {}, model, token = false }: { env?: Record<string, string>; model?: Model; token?: boolean } = {},
) {
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'README.md': 'A shop.\n' } })
  shop.setPermission('mona', 'write')
  const { pool: db } = await createDatabase(t)
  const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-mirrors-')))
  const gitSettings = readGitSettings()
  const mirrors = await openMirrorCache({
    directory,
    maxBytes: 100 * 1024 ** 2,
    settings: gitSettings,
    log: silentLog,
  })
  t.after(async () => {
    await mirrors.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const credentials = token
    ? { GITHUB_TOKEN: github.createToken('mona') }
    : { GITHUB_APP_ID: String(github.app.id), GITHUB_APP_PRIVATE_KEY: github.app.privateKey }
  const config = readGitHubConfig({ GITHUB_API_URL: github.apiUrl, ...credentials, ...env })
  if (!config) throw new Error('no GitHub is configured')
  const markerKey = await installationKey(db, 'markers')
  const types = ['code-review', 'command']
  const runner: JobRunner = {
    db,
    complete: completeTogether(db),
    queue: createPostgresQueue({ pool: db, log: silentLog }),
    forges: createForges({
      repositoryRoots: [],
      gitProtocols: ['https'],
      gitCredentials: [],
      github: { config, markerKey, mirrors, gitSettings, log: silentLog },
    }),
    model,
    worker: 'worker-1',
    log: silentLog,
    attempts: new Set(),
    stopping: new AbortController().signal,
  }

  const inbox = createInbox(github)
  const jobs = async () =>
    (await listJobs(db, { filter: {}, after: undefined, limit: 100 })).jobs.toReversed()
  return {
    github,
    shop,
    db,
    runner,
    jobs,
    /** Records what GitHub has sent since the last time, in the order that `arrange` gives it. */
    receive: async (arrange = (deliveries: Delivery[]) => deliveries): Promise<Delivery[]> => {
      const deliveries = arrange(await inbox())
      for (const delivery of deliveries) await recordDeliveries(db, [delivery], 0)
      return deliveries
    },
    /** Runs whatever is due, one after the other, until nothing is. */
    run: async () => {
      for (;;) {
        const jobs = await claimJobs(db, runner.worker, {
          types,
          limits: NO_LIMITS,
          count: 1,
          withSuspect: true,
        })
        if (jobs.length === 0) return
        for (const job of jobs) await runJob(job, runner)
      }
    },
    /** What became of each job, oldest first. */
    outcomes: async () => (await jobs()).map(({ type, status }) => `${type} ${status}`),
    read: (jobId: string) => getJob<Review>(db, jobId),
    /** The reason of a job's last change. */
    lastReason: async (jobId: string) =>
      (await listEvents(db, [{ jobId, after: '0' }])).findLast(({ stage }) => stage === null)?.reason,
    makeDue: () =>
      db.query(`update workflow_jobs set due_at = now(), run_at = now() where due_at is not null`),
  }
}

/** What the webhook handler would make of the webhooks that GitHub sent. */
function createInbox(github: GitHub): () => Promise<Delivery[]> {
  let read = 0
  return async () => {
    await github.webhooks.settled()
    const sent = github.webhooks.deliveries.slice(read)
    read += sent.length
    return sent.flatMap(({ event, guid, payload }) => {
      const body = Buffer.from(JSON.stringify(payload))
      const narrowed = WEBHOOK_SOURCES.github.narrow({ 'x-github-event': event }, body)
      if ('ignored' in narrowed) return []
      return [
        {
          forge: 'github' as const,
          deliveryId: guid,
          jobId: jobIdOf('github', guid),
          digest: createHash('sha256').update(body).update(randomUUID()).digest('hex'),
          receivedAt: new Date().toISOString(),
          ...narrowed,
        },
      ]
    })
  }
}
