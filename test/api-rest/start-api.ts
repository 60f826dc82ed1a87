import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type AppOptions, createApp } from '../../src/api-rest/app.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { type Database, openDatabase } from '../../src/store/database.ts'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { type MovedJob, transitionJob } from '../../src/store/transition-job.ts'
import { claimJob } from '../support/claim-job.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { checkAnswer } from './declared-answers.ts'

export type Api = Awaited<ReturnType<typeof startApi>>

export interface Answered {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON a route answers; tests say what they expect.
  body: any
}

/**
 * The API on a port of its own, over a database of its own. Whatever `get` and `post` are answered is held
 * to what `/openapi.json` declares for that route and status. `wrap` stands between the API and its database.
 */
export async function startApi(
  t: TestContext,
  options: Partial<AppOptions> = {},
  wrap = (db: Database): Database => db,
) {
  const { pool } = await createDatabase(t)
  const app = await createApp({
    db: wrap(pool),
    log: silentLog,
    version: '1.2.3',
    instanceId: 'test',
    pollMs: 10,
    graceMs: 1_000,
    ...options,
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => app.close())

  const [reader, writer] = await Promise.all([
    createApiKey(pool, { name: 'reader', scopes: ['read'] }),
    createApiKey(pool, { name: 'writer', scopes: ['read', 'write'] }),
  ])
  const request = async (
    method: string,
    path: string,
    headers: Record<string, string>,
  ): Promise<Answered> => {
    const response = await fetch(url + path, { method, headers })
    const text = await response.text()
    const answered = {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    }
    checkAnswer(app.swagger(), method, path, answered)
    return answered
  }
  return {
    app,
    url,
    pool,
    reader,
    writer,
    request,
    get: (path: string, headers: Record<string, string> = {}) =>
      request('GET', path, { authorization: `Bearer ${reader.key}`, ...headers }),
    post: (path: string) => request('POST', path, { authorization: `Bearer ${writer.key}` }),
  }
}

/** A pool whose server is not there: nothing listens on port 1. */
export function unreachableDatabase(t: TestContext): Database {
  const url = 'postgresql://kodus:secret-password@127.0.0.1:1/kodus'
  const pool = openDatabase({ url, component: 'test', maxConnections: 2, log: silentLog })
  t.after(() => pool.end())
  return pool
}

export async function createJob(
  pool: TestDatabase['pool'],
  request: Partial<ReviewRequest> = {},
): Promise<string> {
  const delivery = aDelivery({ request })
  await recordDeliveries(pool, [delivery], 0)
  return delivery.jobId
}

/** The job, claimed by a worker of this name. */
export async function startJob(
  pool: TestDatabase['pool'],
  jobId: string,
  worker = 'worker-1',
): Promise<MovedJob> {
  const job = await claimJob(pool, jobId, worker)
  assert.ok(job, `job ${jobId} could not be claimed`)
  return job
}

export async function failJob(pool: TestDatabase['pool'], jobId: string): Promise<void> {
  const { fence } = await startJob(pool, jobId)
  const failed = await transitionJob(pool, 'fail', {
    jobId,
    fence,
    actor: 'worker-1',
    reason: 'gave up',
    error: {
      code: 'GIT_UNREACHABLE',
      message: 'The repository cannot be reached.',
      help: 'Check its address.',
    },
  })
  assert.ok(failed)
}
