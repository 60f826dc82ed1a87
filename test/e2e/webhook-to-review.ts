import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { createDatabase } from '../support/database.ts'
import { gitWebhook } from '../support/git-webhook.ts'
import { answers, startLlmServer } from '../support/llm-server.ts'
import { type Component, spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'

const SECRET = 'a secret of this test'
const FINAL = ['COMPLETED', 'FAILED', 'CANCELLED', 'SUPERSEDED']
const FILES = {
  base: {
    'orders.py':
      'def total(items):\n    return sum(items)\n\n\ndef names(items):\n    return [i.name for i in items]\n',
    'README.md': '# Orders\n',
  },
  head: {
    'orders.py':
      'def total(items):\n    return sum(items)\n\n\ndef names(items, seen=[]):\n    seen.append(items)\n    return [i.name for i in items]\n',
    'README.md': '# The orders service\n',
  },
}

interface JobAnswer {
  id: string
  status: string
  attempts: number
  review: { findings: { path: string; line: number; rule: string }[]; model: { used: boolean } } | null
}

/** What happens from webhook to review, with the real processes, over the queue that `queueEnv` names. */
export function webhookToReview(
  queueEnv: () => Promise<Record<string, string>>,
  options: { skip: string | false },
): void {
  test('a signed webhook becomes one review, with its findings on the changed lines', options, async (t) => {
    const stack = await startComponents(t, await queueEnv())
    const answer = await stack.send(stack.request)
    assert.equal(answer.status, 202)
    assert.equal(answer.body.status, 'PENDING')

    const job = await stack.finished(answer.body.jobId)
    assert.equal(job.status, 'COMPLETED')
    assert.deepEqual(
      job.review?.findings.map(({ path, line, rule }) => [path, line, rule]),
      [['orders.py', 5, 'python/mutable-default']],
    )
    const shapes = stack.components.flatMap((component) => component.lines)
    for (const line of shapes)
      assert.ok(line.level && line.time && line.component && line.msg, JSON.stringify(line))
    const told = shapes.filter((line) => line.jobId === job.id).map((line) => line.component)
    assert.deepEqual(
      [...new Set(told)].sort(),
      ['api-rest', 'webhook-handler', 'worker'],
      'the job can be followed through the logs of all three',
    )
    assert.equal(JSON.stringify(shapes).includes(SECRET), false, 'and no secret is in them')
  })

  test('the same delivery three times is one job and one review', options, async (t) => {
    const stack = await startComponents(t, await queueEnv())
    const delivery = randomUUID()
    const sent = await Promise.all([1, 2, 3].map(() => stack.send(stack.request, delivery)))
    assert.deepEqual([...new Set(sent.map(({ status }) => status))], [202])
    assert.equal(new Set(sent.map(({ body }) => body.jobId)).size, 1)
    assert.equal(sent.filter(({ body }) => body.duplicate).length, 2)
    await stack.finished(sent[0]?.body.jobId ?? '')
    const { rows } = await stack.db.query(
      'select (select count(*)::int from workflow_jobs) as jobs, (select count(*)::int from reviews) as reviews',
    )
    assert.deepEqual(rows, [{ jobs: 1, reviews: 1 }])
  })

  test('a commit that was reviewed is reviewed again when its webhook says so', options, async (t) => {
    const stack = await startComponents(t, await queueEnv())
    const reviewOf = async (fields: object) => {
      const { body } = await stack.send({ ...stack.request, ...fields })
      const job = await stack.finished(body.jobId)
      assert.equal(job.status, 'COMPLETED')
      return job.review
    }
    assert.notEqual(await reviewOf({}), null)
    assert.equal(await reviewOf({ title: 'Told once more' }), null)
    assert.notEqual(await reviewOf({ force: true }), null)
  })

  test(
    'a worker killed in the middle of a job is noticed by its lease, and another finishes it: one review',
    options,
    async (t) => {
      // Its first request is never answered; those after it are.
      const llm = await startLlmServer(() => {}, answers({ findings: [] }))
      t.after(() => llm.close())
      const env = { ...(await queueEnv()), LLM_BASE_URL: llm.baseUrl, LLM_MODEL: 'fake' }
      const stack = await startComponents(t, env)
      const { jobId } = (await stack.send(stack.request)).body
      await until(() => llm.requests.length === 1)
      await stack.worker.kill()
      assert.equal((await stack.read(jobId)).status, 'PROCESSING')

      await stack.startWorker()
      const job = await stack.finished(jobId)
      assert.equal(job.status, 'COMPLETED')
      assert.equal(job.attempts, 1, 'a lapsed lease costs no attempt')
      assert.equal(llm.requests.length, 2)
      const { rows } = await stack.db.query(
        'select count(*)::int as reviews from reviews where posted_at is not null',
      )
      assert.deepEqual(rows, [{ reviews: 1 }])
    },
  )

  test(
    'a worker that is stopped hands its job back, and the next one finishes it at once',
    options,
    async (t) => {
      const llm = await startLlmServer(() => {}, answers({ findings: [] }))
      t.after(() => llm.close())
      const env = {
        ...(await queueEnv()),
        LLM_BASE_URL: llm.baseUrl,
        LLM_MODEL: 'fake',
        WORKER_GRACE_SECONDS: '1',
      }
      const stack = await startComponents(t, env)
      const { jobId } = (await stack.send(stack.request)).body
      await until(() => llm.requests.length === 1)
      assert.deepEqual(await stack.worker.stop(), { code: 0, signal: null })
      assert.equal((await stack.read(jobId)).status, 'PENDING')

      await stack.startWorker()
      assert.equal((await stack.finished(jobId)).status, 'COMPLETED')
      const { rows } = await stack.db.query('select lapses from workflow_jobs')
      assert.deepEqual(rows, [{ lapses: 0 }])
    },
  )

  test('a cancelled job stops running within its next renewal', options, async (t) => {
    const llm = await startLlmServer(() => {})
    t.after(() => llm.close())
    const stack = await startComponents(t, {
      ...(await queueEnv()),
      LLM_BASE_URL: llm.baseUrl,
      LLM_MODEL: 'fake',
    })
    const { jobId } = (await stack.send(stack.request)).body
    await until(() => llm.requests.length === 1)
    const cancelled = await fetch(`${stack.api}/jobs/${jobId}/cancel`, {
      method: 'POST',
      headers: stack.authorization,
    })
    assert.ok(cancelled.ok, `${cancelled.status}`)
    const line = await stack.worker.line((candidate) => candidate.code === 'LEASE_LOST')
    assert.equal(line.jobId, jobId)
    assert.equal((await stack.read(jobId)).status, 'CANCELLED')
  })
}

async function startComponents(t: TestContext, extraEnv: Record<string, string>) {
  const { url, pool: db } = await createDatabase(t)
  const repository = makeRepository(t, FILES)
  const [webhookPort, apiPort] = [await freePort(), await freePort()]
  const env = {
    DATABASE_URL: url,
    WEBHOOK_PORT: String(webhookPort),
    API_PORT: String(apiPort),
    WEBHOOK_HOST: '127.0.0.1',
    API_HOST: '127.0.0.1',
    GIT_WEBHOOK_SECRET: SECRET,
    GIT_REPOSITORY_ROOTS: repository.root,
    ...extraEnv,
  }
  const components: Component[] = await Promise.all(
    (['webhook', 'api', 'worker'] as const).map((type) => spawnComponent(t, { type, env })),
  )
  const worker = components[2]
  assert.ok(worker)
  const { key } = await createApiKey(db, { name: 'test', scopes: ['read', 'write'] })
  const authorization = { authorization: `Bearer ${key}` }
  const api = `http://127.0.0.1:${apiPort}`

  const read = async (jobId: string): Promise<JobAnswer> => {
    const response = await fetch(`${api}/jobs/${jobId}`, { headers: authorization })
    assert.equal(response.status, 200)
    return (await response.json()) as JobAnswer
  }
  return {
    db,
    api,
    authorization,
    components,
    worker,
    read,
    startWorker: () => spawnComponent(t, { type: 'worker', env }),
    request: {
      repository: repository.path,
      base: repository.base,
      head: repository.head,
      title: 'A change',
      branch: 'topic',
    },
    async send(request: object, delivery: string = randomUUID()) {
      const response = await fetch(`http://127.0.0.1:${webhookPort}/webhooks/git`, {
        method: 'POST',
        ...gitWebhook(request, SECRET, delivery),
      })
      const answer = (await response.json()) as { jobId: string; status: string; duplicate?: boolean }
      return { status: response.status, body: answer }
    },
    /** The job in its final state; bounded by the test's own time limit. */
    async finished(jobId: string): Promise<JobAnswer> {
      await until(async () => FINAL.includes((await read(jobId)).status))
      return read(jobId)
    },
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50)
}
