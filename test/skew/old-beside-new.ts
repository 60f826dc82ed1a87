import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import type { ComponentType } from '../../src/components.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { createDatabase } from '../support/database.ts'
import { gitWebhook } from '../support/git-webhook.ts'
import { answers, fails, type LlmServer, startLlmServer } from '../support/llm-server.ts'
import { type Component, spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'
import { checkOut, findPrevious, type Version } from './previous-version.ts'

// `npm run test:skew`, over each queue: during an upgrade, components of two versions work beside each other on today's schema.

const SECRET = 'a secret of this test'
const COMPONENTS = ['webhook', 'api', 'worker'] as const
const DIRECTIONS = [
  { from: 'old', to: 'new' },
  { from: 'new', to: 'old' },
] as const
type Age = (typeof DIRECTIONS)[number]['from']

const previous = findPrevious()
let old: Version | undefined

const { commit } = previous
if (commit) {
  let directory: string
  before(async () => {
    const checkedOut = await checkOut(commit)
    old = checkedOut.version
    directory = checkedOut.directory
    console.log(`The old version is ${commit}`)
  })
  after(() => rmSync(directory, { recursive: true, force: true }))
}

export interface QueueUnderTest {
  queue: string
  /** Why there is none to test with. */
  skip: string | false
  /** What components are told of one that nobody else uses. */
  queueEnv(): Promise<Record<string, string>>
}

export function testUpgradeOver({ queue, skip, queueEnv }: QueueUnderTest): void {
  const options = { skip: previous.skip || skip, timeout: 120_000 }

  describe(`an upgrade over ${queue}`, () => {
    for (const type of COMPONENTS) {
      test(`the old ${type} works beside the new others`, options, async (t) => {
        const stack = await startStack(t, await queueEnv())
        await stack.start('new', ...COMPONENTS.filter((each) => each !== type))
        await stack.start('old', type)

        const jobs = await Promise.all([stack.send(), stack.send(), stack.send()])

        for (const job of jobs) assert.equal(await stack.finished(job), 'COMPLETED')
        await stack.reviewedOnce(jobs)
      })
    }

    test('an old and a new worker share the jobs, each run once', options, async (t) => {
      const stack = await startStack(t, await queueEnv())
      await stack.start('new', 'webhook', 'api', 'worker')
      await stack.start('old', 'worker')

      const jobs = await Promise.all(Array.from({ length: 12 }, () => stack.send()))

      for (const job of jobs) assert.equal(await stack.finished(job), 'COMPLETED')
      await stack.reviewedOnce(jobs)
    })

    for (const { from, to } of DIRECTIONS) {
      test(`what the ${from} webhook handler recorded, the ${to} worker reviews`, options, async (t) => {
        const stack = await startStack(t, await queueEnv())
        await stack.start(from, 'webhook', 'api')
        const job = await stack.send()

        await stack.start(to, 'worker')

        assert.equal(await stack.finished(job), 'COMPLETED')
        await stack.reviewedOnce([job])
      })

      test(`what the ${from} worker wants tried again, the ${to} one finishes`, options, async (t) => {
        const stack = await startStack(t, await queueEnv())
        stack.llm.behave(fails(503), answers({ findings: [] }))
        await stack.start('new', 'webhook', 'api')
        const [worker] = await stack.start(from, 'worker')
        const job = await stack.send()
        await until(async () => (await stack.read(job)).status === 'RETRYING')
        await worker?.stop()

        await stack.start(to, 'worker')

        assert.equal(await stack.finished(job), 'COMPLETED')
        assert.equal((await stack.read(job)).attempts, 2)
        await stack.reviewedOnce([job])
      })

      test(
        `what the ${from} worker had in hand when it stopped, the ${to} one finishes`,
        options,
        async (t) => {
          const stack = await startStack(t, { ...(await queueEnv()), WORKER_GRACE_SECONDS: '1' })
          stack.llm.behave(() => {}, answers({ findings: [] }))
          await stack.start('new', 'webhook', 'api')
          const [worker] = await stack.start(from, 'worker')
          const job = await stack.send()
          await until(() => stack.llm.requests.length === 1)
          await worker?.stop()

          await stack.start(to, 'worker')

          assert.equal(await stack.finished(job), 'COMPLETED')
          await stack.reviewedOnce([job])
        },
      )

      test(
        `what the ${from} worker had in hand when it was killed, the ${to} one finishes`,
        options,
        async (t) => {
          const stack = await startStack(t, await queueEnv())
          stack.llm.behave(() => {}, answers({ findings: [] }))
          await stack.start('new', 'webhook', 'api')
          const [worker] = await stack.start(from, 'worker')
          const job = await stack.send()
          await until(() => stack.llm.requests.length === 1)
          await worker?.kill()

          await stack.start(to, 'worker')

          assert.equal(await stack.finished(job), 'COMPLETED')
          await stack.reviewedOnce([job])
        },
      )
    }
  })
}

interface JobAnswer {
  status: string
  attempts: number
}

/** Today's schema and a repository to review; components of either version can be started on it. */
async function startStack(t: TestContext, queueEnv: Record<string, string>) {
  const { url, pool: db } = await createDatabase(t)
  const llm: LlmServer = await startLlmServer()
  t.after(() => llm.close())
  const repository = makeRepository(t, {
    base: { 'names.py': 'def names(items):\n    return items\n' },
    head: { 'names.py': 'def names(items, seen=[]):\n    return items\n' },
  })
  const [webhookPort, apiPort] = [await freePort(), await freePort()]
  const env = {
    DATABASE_URL: url,
    WEBHOOK_PORT: String(webhookPort),
    WEBHOOK_HOST: '127.0.0.1',
    API_PORT: String(apiPort),
    API_HOST: '127.0.0.1',
    GIT_WEBHOOK_SECRET: SECRET,
    GIT_REPOSITORY_ROOTS: repository.root,
    LLM_BASE_URL: llm.baseUrl,
    LLM_MODEL: 'fake',
    ...queueEnv,
  }
  const { key } = await createApiKey(db, { name: 'test', scopes: ['read', 'write'] })

  const read = async (jobId: string): Promise<JobAnswer> => {
    const headers = { authorization: `Bearer ${key}` }
    const response = await fetch(`http://127.0.0.1:${apiPort}/jobs/${jobId}`, { headers })
    assert.equal(response.status, 200)
    return (await response.json()) as JobAnswer
  }

  return {
    llm,
    read,
    async start(age: Age, ...types: ComponentType[]): Promise<Component[]> {
      const spawn = age === 'new' ? spawnComponent : old?.spawnComponent
      assert.ok(spawn)
      return Promise.all(types.map((type) => spawn(t, { type, env })))
    },
    /** A pull request of its own each time. */
    async send(): Promise<string> {
      const { path, base, head } = repository
      const request = { repository: path, base, head, title: 'A change', branch: `topic-${randomUUID()}` }
      const address = `http://127.0.0.1:${webhookPort}/webhooks/git`
      const response = await fetch(address, { method: 'POST', ...gitWebhook(request, SECRET) })
      assert.equal(response.status, 202)
      return ((await response.json()) as { jobId: string }).jobId
    },
    /** The final state; bounded by the test's own time limit. */
    async finished(jobId: string): Promise<string> {
      const open = ['PENDING', 'PROCESSING', 'RETRYING']
      await until(async () => !open.includes((await read(jobId)).status))
      return (await read(jobId)).status
    },
    async reviewedOnce(jobIds: readonly string[]): Promise<void> {
      const { rows } = await db.query<{ job: string }>(
        'select job_id as job from reviews where posted_at is not null',
      )
      assert.deepEqual(rows.map(({ job }) => job).sort(), jobIds.toSorted())
    },
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(100)
}
