import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { jobIdOf } from '../../src/jobs/review-request.ts'
import { migrate } from '../../src/store/migrate.ts'
import { answers, type Behaviour, startLlmServer } from '../support/llm-server.ts'
import { skipWithoutMount, startPostgresOnSmallDisk } from '../support/postgres-on-small-disk.ts'
import { type Component, spawnComponent } from '../support/processes.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { makeRepository } from '../support/repository.ts'
import { gitBody, type Handler, postGit, SECRETS, startHandler } from '../webhook-handler/start-handler.ts'

const MEGABYTES = 160
const DISK_FULL = '53100'

/** More than a page of PostgreSQL's, and it cannot be compressed: its row needs room. */
const LARGE = randomBytes(12_000).toString('base64')

test('a disk that is full under PostgreSQL costs no webhook and no attempt: with room, each delivery is one job that ends', {
  skip: skipWithoutMount || skipWithoutRabbitmq,
  timeout: 280_000,
}, async (t) => {
  const stack = await startStack(t)
  const { db, disk, alone, withBroker, worker, model } = stack
  for (const handler of [alone, withBroker]) assert.equal(await stack.send(handler), 202)
  const running = [...stack.accepted]
  await until(() => model.waiting() === running.length)

  disk.fill()
  await assert.rejects(db.query('insert into filler values (1)'), { code: DISK_FULL })
  await stack.sendToBoth()
  model.release()
  const handedBack = (job: string) =>
    worker.line(({ jobId, msg }) => jobId === job && /^(handed back|could not record a failure)/.test(msg))
  await Promise.all(running.map(handedBack))

  // The log of what is to be committed finds no room for its next file: PostgreSQL ends, and cannot start.
  await assert.rejects(db.query('select pg_switch_wal(); insert into filler values (1)'))
  await until(async () => (await outcome(db)) !== 'up')
  await stack.sendToBoth()

  disk.makeRoom()
  await until(async () => (await outcome(db)) === 'up')
  await stack.sendRefusedAgain()
  await until(async () => (await stack.waiting()).length === 0)
  const { rows } = await db.query<{ id: string; status: string; attempts: number; reviews: number }>(
    `select j.id, j.status, j.attempts, count(r.*)::int as reviews
     from workflow_jobs j left join reviews r on r.job_id = j.id group by 1, 2, 3`,
  )
  assert.deepEqual(rows.map(({ id }) => id).sort(), [...stack.accepted].sort())
  for (const { id, ...job } of rows) {
    assert.deepEqual(job, { status: 'COMPLETED', attempts: 1, reviews: 1 }, id)
  }
  for (const component of [alone, withBroker, worker]) {
    assert.deepEqual(await component.stop(), { code: 0, signal: null })
  }
})

async function startStack(t: TestContext) {
  const disk = await startPostgresOnSmallDisk(t, MEGABYTES)
  const db = new pg.Pool({ connectionString: disk.url, max: 2 })
  db.on('error', () => {})
  db.on('connect', (client) => client.on('error', () => {}))
  t.after(() => db.end())
  await migrate(db)
  await db.query('create table filler (n int)')
  const repository = makeRepository(t, { base: { 'a.py': 'x = 0\n' }, head: { 'a.py': 'x = 1\n' } })
  const model = await startModel(t)
  const env = {
    DATABASE_URL: disk.url,
    ...SECRETS,
    LLM_BASE_URL: model.baseUrl,
    LLM_MODEL: 'fake',
    GIT_REPOSITORY_ROOTS: repository.root,
  }
  const RABBITMQ_URL = await createVhost()
  const alone = await startHandler(t, env)
  const withBroker = await startHandler(t, { ...env, RABBITMQ_URL })
  const worker: Component = await spawnComponent(t, { type: 'worker', env: { ...env, RABBITMQ_URL } })

  const accepted = new Set<string>()
  const refused = new Map<string, string>()
  let commits = 1
  const post = async (handler: Handler, id: string, body: string): Promise<number> => {
    const { status, body: answer } = await postGit(handler, body, { id })
    assert.ok(status === 202 || (status === 503 && answer.code === 'STORES_UNAVAILABLE'), `${status}`)
    if (status === 202) accepted.add(jobIdOf('git', id))
    else refused.set(id, body)
    return status
  }
  /** Has a new commit reviewed. */
  const send = (handler: Handler, description = ''): Promise<number> => {
    commits += 1
    const { path, base } = repository
    const head = repository.commit({ 'a.py': `x = ${commits}\n` })
    return post(handler, randomUUID(), gitBody({ repository: path, base, head, description }))
  }
  return {
    db,
    disk,
    model,
    alone,
    withBroker,
    worker,
    accepted,
    send,
    async sendToBoth(): Promise<void> {
      for (let n = 0; n < 5; n += 1) {
        assert.deepEqual([await send(alone, LARGE), await send(withBroker, LARGE)], [503, 202])
      }
    },
    /** As the forge, or a person at the forge, does it. */
    async sendRefusedAgain(): Promise<void> {
      for (const [id, body] of refused) {
        while ((await post(alone, id, body)) !== 202) await sleep(50)
      }
    },
    /** What was accepted and has not ended. */
    async waiting(): Promise<string[]> {
      const { rows } = await db.query<{ id: string }>(
        `select id from unnest($1::uuid[]) as accepted (id)
         where not exists (select from workflow_jobs j where j.id = accepted.id and finished_at is not null)`,
        [[...accepted]],
      )
      return rows.map(({ id }) => id)
    },
  }
}

/** A model that keeps everybody waiting until it is told to answer. */
async function startModel(t: TestContext) {
  const held: (() => void)[] = []
  const answer = answers({ findings: [] })
  const hold: Behaviour = (request, response) => void held.push(() => answer(request, response))
  const llm = await startLlmServer(hold)
  t.after(() => llm.close())
  return {
    baseUrl: llm.baseUrl,
    waiting: () => held.length,
    release(): void {
      llm.behave(answer)
      for (const go of held.splice(0)) go()
    },
  }
}

async function outcome(db: pg.Pool): Promise<string> {
  return db.query('select 1').then(
    () => 'up',
    (error) => String(error),
  )
}

async function until(happened: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(50)
}
