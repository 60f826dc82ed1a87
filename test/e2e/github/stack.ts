import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'pg'
import { PERMISSIONS } from '../../../src/cli/setup/permissions.ts'
import { freePort } from '../../../src/cli/stack/free-port.ts'
import type { ComponentType } from '../../../src/components.ts'
import { createApiKey } from '../../../src/store/create-api-key.ts'
import { type Answer, type GitHub, type PullRequest, startGitHub } from '../../github/server.ts'
import { createDatabase } from '../../support/database.ts'
import { type LlmServer, startLlmServer } from '../../support/llm-server.ts'
import { type Component, spawnComponent } from '../../support/processes.ts'

export interface Stack {
  github: GitHub
  /** Finds nothing until it is told to. */
  model: LlmServer
  worker: Component
  startWorker(): Promise<Component>
  /** Another component of this stack: a webhook handler takes the place of one that is gone. */
  start(type: ComponentType, adapt?: (env: Env) => Env): Promise<Component>
  /** The webhook handler's address. */
  webhookUrl: string
  api: Api
  db: Pool
  /**
   * Resolves when every webhook has been answered, every job has come to its end, and every check run with it.
   *
   * @throws when a job has failed, or is to be tried again: nothing does here by itself
   */
  idle(): Promise<void>
}

export interface Api {
  /** A repository's jobs, oldest first. */
  jobs(repository: string): Promise<Job[]>
  /** Has a job that failed run again. */
  replay(jobId: string): Promise<void>
}

/** What the API tells of a job. */
export interface Job {
  id: string
  type: string
  status: string
  head: string | null
  command: string | null
  deliveryId: string
  attempts: number
  stage: string | null
  error: { code: string; message: string } | null
  reviewUrl: string | null
  review: Answer
}

const OPEN = ['PENDING', 'PROCESSING', 'RETRYING']

type Env = Record<string, string>

/**
 * The three components as processes of their own, and a local GitHub that sends them its webhooks. The App may
 * do what `kodus setup github` asks for.
 */
export async function startStack(
  t: TestContext,
  extraEnv: Env | ((github: GitHub) => Env) = {},
): Promise<Stack> {
  const { url: databaseUrl, pool: db } = await createDatabase(t)
  const permissions = Object.fromEntries(PERMISSIONS.map(({ name, access }) => [name, access]))
  const github = await startGitHub(t, { permissions })
  const model = await startLlmServer()
  t.after(() => model.close())
  const cache = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-git-cache-')))
  const [webhookPort, apiPort] = [await freePort(), await freePort()]
  const env = {
    DATABASE_URL: databaseUrl,
    WEBHOOK_HOST: '127.0.0.1',
    WEBHOOK_PORT: String(webhookPort),
    API_HOST: '127.0.0.1',
    API_PORT: String(apiPort),
    GITHUB_API_URL: github.apiUrl,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
    GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
    GIT_CACHE_DIRECTORY: cache,
    LLM_BASE_URL: model.baseUrl,
    LLM_MODEL: 'fake',
    ...(typeof extraEnv === 'function' ? extraEnv(github) : extraEnv),
  }
  const start: Stack['start'] = (type, adapt = (given) => given) =>
    spawnComponent(t, { type, env: adapt(env) })
  const startWorker = () => start('worker')
  const [worker] = await Promise.all([startWorker(), start('webhook'), start('api')])
  t.after(() => rmSync(cache, { recursive: true, force: true }))
  const webhookUrl = `http://127.0.0.1:${webhookPort}/webhooks/github`
  github.webhooks.deliverTo(webhookUrl)

  const { key } = await createApiKey(db, { name: 'test', scopes: ['read', 'write'] })
  const ask = async <Value>(address: string, method = 'GET'): Promise<Value> => {
    const headers = { authorization: `Bearer ${key}` }
    const response = await fetch(`http://127.0.0.1:${apiPort}${address}`, { method, headers })
    assert.ok(response.ok, `${method} ${address}: ${response.status}`)
    return (await response.json()) as Value
  }
  const api: Api = {
    async jobs(repository) {
      const query = new URLSearchParams({ repository, limit: '100' })
      const { jobs } = await ask<{ jobs: Job[] }>(`/jobs?${query}`)
      return Promise.all(jobs.reverse().map(({ id }) => ask<Job>(`/jobs/${id}`)))
    },
    async replay(jobId) {
      await ask(`/jobs/${jobId}/replay`, 'POST')
    },
  }

  const list = async (condition: string, values: unknown[]) => {
    const { rows } = await db.query<{ status: string; code: string | null; repository: string }>(
      `select repository, status, error ->> 'code' as code from workflow_jobs where ${condition}`,
      values,
    )
    return rows
  }
  return {
    github,
    model,
    worker,
    startWorker,
    start,
    webhookUrl,
    api,
    db,
    async idle() {
      await github.webhooks.settled()
      await until(async () => {
        assert.deepEqual(await list(`status in ('FAILED', 'RETRYING')`, []), [])
        return (await list('status = any($1)', [OPEN])).length === 0
      })
      await until(() => checksInProgress(github) === 0)
      await github.webhooks.settled()
    },
  }
}

/** Check runs that somebody has begun and not ended, by what was asked of the API. */
function checksInProgress({ requests }: GitHub): number {
  const begun = requests.filter(
    ({ method, path: asked, status }) => method === 'POST' && asked.endsWith('/check-runs') && status === 201,
  )
  const ended = requests.filter(
    ({ method, path: asked, status, body }) =>
      (method === 'PATCH' || method === 'POST') &&
      asked.includes('/check-runs') &&
      status < 300 &&
      status > 0 &&
      (body as { status?: string })?.status === 'completed',
  )
  return begun.length - ended.length
}

/** Far longer than anything takes here. */
const LIMIT_MS = 120_000

/** Waits for a condition. @throws when it does not come true */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const limit = performance.now() + LIMIT_MS
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`in ${LIMIT_MS / 1000} s it never came true: ${condition}`)
    await sleep(20)
  }
}

/** Does something, waits until the worker has done with it, and tells what the model was asked meanwhile. */
export async function promptsOf({ model, idle }: Stack, work: () => unknown): Promise<string[]> {
  const before = model.requests.length
  await work()
  await idle()
  return model.requests.slice(before).map(({ prompt }) => prompt)
}

/** The lines that a prompt marks as new. */
export function linesToRead(prompt: string): string[] {
  return [...prompt.matchAll(/^ *\d+ \+ (.*)$/gm)].map(([, line = '']) => line)
}

/** A thread: where it stands now, which rule began it, and how many comments are in it. */
export interface ThreadSeen {
  at: string
  rule: string
  isResolved: boolean
  said: number
}

/** The threads on a pull request, oldest first. */
export function threadsOf(pull: PullRequest): ThreadSeen[] {
  return pull.threads().map(({ path: file, line, isResolved, comments }) => ({
    at: `${file}:${line}`,
    rule: /`([a-z]+\/[a-z-]+)`/.exec(comments[0].body)?.[1] ?? comments[0].body,
    isResolved,
    said: comments.length,
  }))
}

/** The one summary comment. */
export function summaryOf(pull: PullRequest): Answer {
  const summaries = pull.comments().filter(({ body }) => body.startsWith('<!-- kodus:summary:'))
  assert.equal(summaries.length, 1, 'one summary comment')
  return summaries[0]
}

/** The newest check run of a commit, when it has come to its end: the last thing that is done for a job. */
export async function checkOf(pull: PullRequest, sha: string = pull.head()): Promise<Answer> {
  const newest = () => pull.repository.checkRuns(sha)[0]
  await until(() => newest()?.status === 'completed')
  return newest()
}
