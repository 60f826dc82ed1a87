import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordDeliveries } from '../../src/store/record-deliveries.ts'
import { createDatabase } from '../support/database.ts'
import { aDelivery } from '../support/deliveries.ts'
import { startEcsAgent } from '../support/ecs-agent.ts'
import { answers, type RecordedRequest, startLlmServer } from '../support/llm-server.ts'
import { spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'

const LIMIT = { timeout: 120_000 }

/** A worker in ECS, and a model that answers when it is told to. */
async function startProtectedWorker(t: TestContext, env: Record<string, string> = {}) {
  const { url, pool: db } = await createDatabase(t)
  const agent = await startEcsAgent(t)
  const questions: [RecordedRequest, ServerResponse][] = []
  const model = await startLlmServer((...question) => void questions.push(question))
  t.after(() => model.close())
  const { root, path, base, head } = makeRepository(t, {
    base: { 'a.py': 'x = 1\n' },
    head: { 'a.py': 'x = 2\n' },
  })
  const worker = await spawnComponent(t, {
    type: 'worker',
    env: {
      DATABASE_URL: url,
      GIT_REPOSITORY_ROOTS: root,
      LLM_BASE_URL: model.baseUrl,
      LLM_MODEL: 'fake',
      ECS_AGENT_URI: agent.uri,
      ...env,
    },
  })
  const statusOf = async (jobId: string) => {
    const { rows } = await db.query('select status from workflow_jobs where id = $1', [jobId])
    return rows[0]?.status
  }
  return {
    agent,
    db,
    worker,
    statusOf,
    /** Resolves when the model is asked about the review of that title, and waits for its answer. */
    async review(title: string) {
      const delivery = aDelivery({ request: { repository: path, base, head, title, force: true } })
      await recordDeliveries(db, [delivery], 0)
      const asked = questions.length + 1
      await agent.until(() => questions.length >= asked)
      const [request, response] = questions[asked - 1] as [RecordedRequest, ServerResponse]
      return { jobId: delivery.jobId, answer: () => answers({ findings: [] })(request, response) }
    },
    async completed(jobId: string) {
      while ((await statusOf(jobId)) !== 'COMPLETED') await sleep(20)
    },
  }
}

test(
  'a worker is protected while its job runs, and no more after; without an agent it works on',
  LIMIT,
  async (t) => {
    const { agent, worker, review, completed } = await startProtectedWorker(t)
    assert.deepEqual(agent.requests, [])
    const first = await review('First')
    assert.ok(agent.isProtected())
    first.answer()
    await completed(first.jobId)
    await agent.until(() => !agent.isProtected())
    assert.deepEqual(
      agent.requests.map(({ ProtectionEnabled }) => ProtectionEnabled),
      [true, false],
    )

    await agent.close()
    const second = await review('Second')
    second.answer()
    await completed(second.jobId)
    const line = await worker.line(({ code }) => code === 'TASK_PROTECTION_UNANSWERED')
    assert.match(line.msg, /^this task is not protected from scale-in, going on: .*ECONNREFUSED/)
  },
)

test(
  'a protected worker that is told to stop finishes what it can in its grace, and hands back the rest',
  LIMIT,
  async (t) => {
    const stack = await startProtectedWorker(t, { WORKER_GRACE_SECONDS: '10' })
    const [quick, slow] = [await stack.review('Quick'), await stack.review('Slow')]
    const stopped = stack.worker.stop()
    await stack.worker.line(({ msg }) => msg.startsWith('stopping'))
    quick.answer()
    await stack.completed(quick.jobId)
    assert.equal(await stack.statusOf(slow.jobId), 'PROCESSING', 'there is grace left')

    assert.deepEqual(await stopped, { code: 0, signal: null })
    const { rows } = await stack.db.query(
      'select status, attempts, lapses from workflow_jobs where id = $1',
      [slow.jobId],
    )
    assert.deepEqual(rows, [{ status: 'PENDING', attempts: 0, lapses: 0 }])
    assert.equal(stack.agent.requests.length, 1, 'and gives nothing back: the protection ends with the task')
  },
)
