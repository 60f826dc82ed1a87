import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { JOBS_QUEUE } from '../../src/jobs/topology.ts'
import { createDatabase } from '../support/database.ts'
import { spawnComponent } from '../support/processes.ts'
import { everyRabbitmq, startRabbitmqNode } from '../support/rabbitmq.ts'
import { makeRepository } from '../support/repository.ts'
import { gitBody, postGit, startHandler } from '../webhook-handler/start-handler.ts'

const LIMIT = { timeout: 120_000 }

for (const { series, skip, createVhost } of everyRabbitmq) {
  describe(`the components and RabbitMQ ${series}`, { skip }, () => {
    test('all start without the broker, take webhooks, and review them when it appears', LIMIT, async (t) => {
      const port = await freePort()
      const stack = await startComponents(t, `amqp://guest:guest@127.0.0.1:${port}`)
      await stack.acceptWebhook()
      assert.deepEqual(await stack.statuses(), ['PENDING'])

      const directory = mkdtempSync(path.join(tmpdir(), 'kodus-rabbitmq-'))
      const node = await startRabbitmqNode({ directory, port, series })
      t.after(async () => {
        await node.kill()
        rmSync(directory, { recursive: true, force: true })
      })

      await until(async () => (await stack.statuses())[0] === 'COMPLETED')
    })

    test('a queue that exists with other arguments is said once, and webhooks go on', LIMIT, async (t) => {
      const url = await createVhost()
      const connection = await amqp.connect(url)
      t.after(() => connection.close())
      const channel = await connection.createChannel()
      await channel.assertQueue(JOBS_QUEUE, { durable: true })
      const stack = await startComponents(t, url)

      for (let sent = 0; sent < 3; sent += 1) await stack.acceptWebhook()

      assert.deepEqual(await stack.statuses(), ['PENDING', 'PENDING', 'PENDING'])
      assert.equal((await fetch(`${stack.api}/ready`)).status, 200)
      const said = stack.handler.lines.filter(({ code }) => code === 'TOPOLOGY_MISMATCH')
      assert.equal(said.length, 1)
      assert.match(String(said[0]?.msg), /workflow\.jobs\.queue exists with another x-/)
    })
  })
}

async function startComponents(t: TestContext, rabbitmqUrl: string) {
  const { url, pool: db } = await createDatabase(t)
  const repository = makeRepository(t, {
    base: { 'names.py': 'def names(items):\n    return items\n' },
    head: { 'names.py': 'def names(items, seen=[]):\n    return items\n' },
  })
  const apiPort = await freePort()
  const env = {
    DATABASE_URL: url,
    RABBITMQ_URL: rabbitmqUrl,
    API_HOST: '127.0.0.1',
    API_PORT: String(apiPort),
    GIT_REPOSITORY_ROOTS: repository.root,
  }
  // Each resolves when the component says that it is ready.
  const [handler] = await Promise.all([
    startHandler(t, env),
    spawnComponent(t, { type: 'api', env }),
    spawnComponent(t, { type: 'worker', env }),
  ])
  return {
    handler,
    api: `http://127.0.0.1:${apiPort}`,
    async acceptWebhook() {
      const { path: at, base, head } = repository
      const { status } = await postGit(handler, gitBody({ repository: at, base, head }))
      assert.equal(status, 202)
    },
    async statuses(): Promise<string[]> {
      const { rows } = await db.query<{ status: string }>('select status from workflow_jobs')
      return rows.map(({ status }) => status)
    },
  }
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  while (!(await happened())) await sleep(50)
}
