import assert from 'node:assert/strict'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { LEASE_SECONDS } from '../../src/jobs/job.ts'
import { migrate } from '../../src/store/migrate.ts'
import { answers, fails, startLlmServer } from '../support/llm-server.ts'
import { skipWithoutFaketime, startPostgresWithClock } from '../support/postgres-clock.ts'
import { spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'
import { gitBody, postGit, SECRETS, startHandler } from '../webhook-handler/start-handler.ts'

const HOUR = 3600

/** However wrong the clock was, whatever can run does after this, in real time. */
const STUCK_AFTER_MS = (LEASE_SECONDS + 60) * 1000

/** What happens to the clock, each move with jobs in every state. Seconds from the real time. */
const MOVES: [string, number[]][] = [
  ['back by two hours, and forward again', [-2 * HOUR, 0]],
  ['forward by two hours, and back again', [2 * HOUR, 0]],
]

interface JobRow {
  id: string
  status: string
  attempts: number
  lapses: number
  claims: number
  reviews: number
}

/**
 * The clock of PostgreSQL is moved under jobs in every state, over the queue that `queueEnv` names: nothing waits for
 * the time to come that the rows name, and nothing that runs is begun a second time beside it.
 */
export function databaseClock(
  queueEnv: () => Promise<Record<string, string>>,
  { skip }: { skip: string | false } = { skip: false },
): void {
  for (const [how, offsets] of MOVES) {
    const options = { skip: skipWithoutFaketime || skip, timeout: 280_000 }
    test(
      `the clock of the database is moved ${how}: nothing is stuck, and nothing runs twice at once`,
      options,
      async (t) => {
        const stack = await startStack(t, await queueEnv())
        for (const offset of offsets) await move(stack, offset)
        for (const { id, ...ended } of await stack.jobs()) {
          const expected = { status: 'COMPLETED', attempts: ended.attempts, lapses: ended.lapses, reviews: 1 }
          assert.deepEqual({ ...ended, claims: 0 }, { ...expected, claims: 0 }, id)
        }
      },
    )
  }
}

/** Moves the clock under a job that runs, one whose worker is dead, one to be tried again and one that waits. */
async function move(stack: Stack, offset: number): Promise<void> {
  const { model } = stack
  const named = (what: string) => `${what} before the clock is ${offset} s off`
  const title = {
    held: named('runs'),
    orphaned: named('is orphaned'),
    failing: named('is to be tried again'),
    waiting: named('waits'),
  }
  const doomed = await stack.startWorker({ WORKER_SLOTS: '1' })
  await stack.until(await stack.push(named('is pushed')), 'COMPLETED')
  model.hold(title.orphaned)
  const orphaned = await stack.send('orphaned', title.orphaned)
  await model.asked(title.orphaned)
  const steady = await stack.startWorker({ WORKER_SLOTS: '4' })
  model.hold(title.held)
  const held = await stack.send('busy', title.held)
  await model.asked(title.held)
  model.fail(title.failing)
  const failing = await stack.send('failing', title.failing)
  await stack.until(failing, 'RETRYING')
  const waiting = await stack.send('busy', title.waiting)

  model.release(title.orphaned)
  await doomed.kill()
  stack.setClock(offset)
  const moved = performance.now()
  model.recover()
  const pushed = await stack.push(named('is pushed after'))
  await Promise.all([orphaned, failing, pushed].map((job) => stack.until(job, 'COMPLETED')))
  assert.deepEqual(
    { status: (await stack.job(waiting)).status, ...pick(await stack.job(held)) },
    { status: 'PENDING', attempts: 1, lapses: 0, claims: 1 },
    'whoever holds a job keeps it',
  )
  model.release(title.held)
  await Promise.all([held, waiting].map((job) => stack.until(job, 'COMPLETED')))
  const tookMs = performance.now() - moved
  assert.ok(tookMs < STUCK_AFTER_MS, `it took ${Math.round(tookMs / 1000)} s of real time`)
  assert.deepEqual(model.atOnce(), {}, 'asked for the same job twice at once')
  assert.deepEqual(await steady.stop(), { code: 0, signal: null })
}

function pick({ attempts, lapses, claims }: JobRow) {
  return { attempts, lapses, claims }
}

type Stack = Awaited<ReturnType<typeof startStack>>

async function startStack(t: TestContext, queueEnv: Record<string, string>) {
  const { url, setClock } = await startPostgresWithClock(t)
  const db = new pg.Pool({ connectionString: url, max: 2 })
  t.after(() => db.end())
  await migrate(db)
  const repositories = Object.fromEntries(
    ['busy', 'orphaned', 'failing', 'pushed'].map((name) => [
      name,
      makeRepository(t, { base: { 'a.py': 'x = 0\n' }, head: { 'a.py': 'x = 1\n' } }),
    ]),
  )
  const model = await startModel(t)
  const env = {
    DATABASE_URL: url,
    ...SECRETS,
    LLM_BASE_URL: model.baseUrl,
    LLM_MODEL: 'fake',
    JOBS_PER_REPOSITORY: '1',
    GIT_REPOSITORY_ROOTS: Object.values(repositories)
      .map(({ root }) => root)
      .join(path.delimiter),
    ...queueEnv,
  }
  const handler = await startHandler(t, env)
  let commits = 1

  const jobs = async (id: string | null = null): Promise<JobRow[]> => {
    const { rows } = await db.query<JobRow>(
      `select id, status, attempts, lapses,
         (select count(*)::int from workflow_job_events e where e.job_id = j.id and e.to_status = 'PROCESSING' and e.from_status <> 'PROCESSING') as claims,
         (select count(*)::int from reviews r where r.job_id = j.id) as reviews
       from workflow_jobs j where id = coalesce($1, id)`,
      [id],
    )
    return rows
  }
  const job = async (id: string): Promise<JobRow> => {
    const [row] = await jobs(id)
    assert.ok(row)
    return row
  }

  /** Has a new commit of a repository reviewed; the title is its name towards the model. */
  const send = async (name: string, title: string, fields: { branch?: string } = {}): Promise<string> => {
    const repository = repositories[name]
    assert.ok(repository)
    commits += 1
    const head = repository.commit({ 'a.py': `x = ${commits}\n` })
    const { path: at, base } = repository
    const { status, body } = await postGit(handler, gitBody({ repository: at, base, head, title, ...fields }))
    assert.equal(status, 202)
    return body.jobId
  }
  return {
    setClock,
    model,
    jobs,
    job,
    startWorker: (more: Record<string, string>) =>
      spawnComponent(t, { type: 'worker', env: { ...env, ...more } }),
    send,
    /** Has a new commit of the one pull request there is reviewed. */
    push: (title: string) => send('pushed', title, { branch: 'topic' }),
    /** Until a job has a status; bounded by the test's own time limit. */
    async until(id: string, status: 'RETRYING' | 'COMPLETED'): Promise<void> {
      for (let is = ''; is !== status; await sleep(50)) {
        is = (await job(id)).status
        assert.ok(!['FAILED', 'CANCELLED', 'SUPERSEDED'].includes(is), `${id} is ${is}`)
      }
    },
  }
}

/** A model that answers, holds or fails by the title of what it is asked about, and counts. */
async function startModel(t: TestContext) {
  const llm = await startLlmServer()
  t.after(() => llm.close())
  const held = new Map<string, (() => void)[]>()
  const failing = new Set<string>()
  const open = new Map<string, number>()
  const most = new Map<string, number>()
  const titleOf = (prompt: string) => /^Title: (.*)$/m.exec(prompt)?.[1] ?? ''

  llm.behave((request, response) => {
    const title = titleOf(request.prompt)
    open.set(title, (open.get(title) ?? 0) + 1)
    most.set(title, Math.max(most.get(title) ?? 0, open.get(title) ?? 0))
    response.once('close', () => open.set(title, (open.get(title) ?? 0) - 1))
    const answer = () => answers({ findings: [] })(request, response)
    if (failing.has(title)) fails(503, { message: 'later' }, { 'retry-after': '60' })(request, response)
    else if (held.has(title)) held.get(title)?.push(answer)
    else answer()
  })
  return {
    baseUrl: llm.baseUrl,
    hold: (title: string) => void held.set(title, []),
    fail: (title: string) => void failing.add(title),
    recover: () => failing.clear(),
    /** Answers what waits, and what comes from now on. */
    release(title: string): void {
      const waiting = held.get(title) ?? []
      held.delete(title)
      for (const answer of waiting) answer()
    },
    async asked(title: string): Promise<void> {
      while (!most.has(title)) await sleep(20)
    },
    /** What was asked for more than once at the same time. */
    atOnce: () => Object.fromEntries([...most].filter(([, count]) => count > 1)),
  }
}
