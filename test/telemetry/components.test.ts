import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { createDatabase } from '../support/database.ts'
import { startLlmServer } from '../support/llm-server.ts'
import { type Component, spawnComponent } from '../support/processes.ts'
import { makeRepository } from '../support/repository.ts'
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts'

const SECRET = 'a secret of this test'
const TOKEN = 'a-token-of-this-test'
const LIMIT = { timeout: 120_000 }

test(
  'one trace leads from the webhook, through another process, to the post; metrics come with it',
  LIMIT,
  async (t) => {
    const receiver = await startOtlpReceiver(t)
    const stack = await startStack(t, receiver)
    const { jobId } = await stack.send()
    await stack.completed(jobId)
    for (const component of stack.components)
      assert.deepEqual(await component.stop(), { code: 0, signal: null })

    const root = receiver.spans.find(({ name }) => name === 'POST /webhooks/git')
    assert.ok(root, receiver.spans.map(({ name }) => name).join(', '))
    const trace = receiver.spans.filter(({ traceId }) => traceId === root.traceId)
    const parentOf = (name: string) => {
      const span = trace.find((candidate) => candidate.name === name)
      assert.ok(span, `${name} is not in the trace: ${trace.map((other) => other.name).join(', ')}`)
      return trace.find(({ spanId }) => spanId === span.parentSpanId)?.name
    }
    for (const name of ['verify', 'make durable', 'attempt code-review'])
      assert.equal(parentOf(name), root.name)
    assert.equal(parentOf('stage analyse'), 'attempt code-review')
    assert.equal(parentOf('chat fake'), 'stage ask-model')
    assert.equal(parentOf('post review'), 'stage publish')
    const services = new Set(trace.map(({ service }) => service))
    assert.deepEqual([...services].sort(), ['kodus-webhook-handler', 'kodus-worker'])
    assert.equal(root.attributes['kodus.job.id'], jobId)

    const told = (service: string, name: string) =>
      receiver.metrics.findLast((metric) => metric.service === service && metric.name === name)?.points
    assert.deepEqual(told('kodus-webhook-handler', 'kodus.webhooks'), [
      { labels: { forge: 'git', path: 'database', outcome: 'accepted' }, value: 1 },
    ])
    assert.deepEqual(told('kodus-worker', 'kodus.attempts'), [
      { labels: { type: 'code-review', outcome: 'completed' }, value: 1 },
    ])
    const stages = told('kodus-worker', 'kodus.stage.duration')?.map(({ labels }) => labels.stage) ?? []
    assert.ok(stages.includes('analyse') && stages.includes('publish'), stages.join(', '))
    assert.equal(told('kodus-worker', 'kodus.model.tokens')?.length, 2)
    assert.deepEqual(
      told('kodus-worker', 'kodus.jobs.claimable')?.map(({ value }) => value),
      [0],
    )

    const everything = JSON.stringify([receiver.spans, receiver.metrics, receiver.resources])
    for (const secret of [
      SECRET,
      TOKEN,
      stack.repository.path,
      stack.repository.head,
      'orders.py',
      'names(items',
    ])
      assert.equal(everything.includes(secret), false, `${secret} was told`)
  },
)

test('the handler shows its metrics to who carries the token, and to nobody else', LIMIT, async (t) => {
  const { handler, send } = await startStack(t, undefined, ['webhook'])
  await send()
  await send({ signature: 'sha256=00' })
  for (const authorization of ['', 'Bearer ', 'Bearer wrong', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
    const refused = await fetch(`${handler}/metrics`, { headers: { authorization } })
    assert.equal(refused.status, 401, authorization)
    assert.equal((await refused.text()).includes('kodus_webhooks'), false)
  }
  const scraped = await scrape(`${handler}/metrics`, TOKEN)
  assert.match(scraped, /^kodus_webhooks_total\{forge="git",path="database",outcome="accepted"\} 1$/m)
  assert.match(scraped, /^kodus_webhooks_total\{forge="git",path="refused",outcome="SIGNATURE_INVALID"\} 1$/m)
  assert.match(scraped, /^kodus_webhook_duration_seconds_count\{forge="git",path="database"\} 1$/m)
  assert.match(scraped, /^process_memory_usage_bytes \d+$/m)
})

test(
  'without METRICS_TOKEN the handler has no metrics to show, wherever the request comes from',
  LIMIT,
  async (t) => {
    const { handler } = await startStack(t, undefined, ['webhook'], { METRICS_TOKEN: '' })
    for (const headers of [{}, { authorization: 'Bearer ' }, { authorization: `Bearer ${TOKEN}` }]) {
      const response = await fetch(`${handler}/metrics`, { headers })
      assert.equal(response.status, 404)
    }
  },
)

test('the API shows the backlog to the token and to keys with the scope read', LIMIT, async (t) => {
  const { api, db, send } = await startStack(t, undefined, ['webhook', 'api'])
  await send()
  await db.query(
    `update workflow_jobs set run_at = now() - interval '90 s', due_at = now() - interval '60 s'`,
  )
  await db.query(`insert into stops (name, actor) values ('posting', 'test')`)
  const reader = await createApiKey(db, { name: 'reader', scopes: ['read'] })
  const writer = await createApiKey(db, { name: 'writer', scopes: ['write'] })
  for (const key of [TOKEN, reader.key]) {
    const scraped = await scrape(`${api}/metrics`, key)
    assert.match(scraped, /^kodus_jobs_claimable 1$/m)
    assert.match(scraped, /^kodus_jobs_running 0$/m)
    assert.match(scraped, /^kodus_jobs_oldest_claimable_age_seconds (9\d|1\d\d)/m)
    assert.match(scraped, /^kodus_outbox_lag_seconds ([6-9]\d|1\d\d)/m)
    assert.match(scraped, /^kodus_stopped\{what="posting"\} 1$/m)
    assert.match(scraped, /^kodus_stopped\{what="claiming"\} 0$/m)
  }
  const status = async (key: string) =>
    (await fetch(`${api}/metrics`, { headers: { authorization: `Bearer ${key}` } })).status
  assert.equal(await status(writer.key), 403)
  assert.equal(await status('nobody'), 401)
})

test('a token that can be guessed stops the start', LIMIT, async (t) => {
  const env = { DATABASE_URL: 'postgresql://127.0.0.1:1/x', METRICS_TOKEN: 'short' }
  const handler = await spawnComponent(t, { type: 'webhook', env, untilReady: false })
  assert.equal((await handler.exited).code, 1)
  assert.equal(handler.lines[0]?.code, 'CONFIG_INVALID')
})

async function scrape(url: string, key: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1\.0\.0/)
  const text = await response.text()
  assert.match(text, /\n# EOF\n$/)
  return text
}

async function startStack(
  t: TestContext,
  receiver: OtlpReceiver | undefined,
  types: readonly ('webhook' | 'api' | 'worker')[] = ['webhook', 'worker'],
  over: Record<string, string> = {},
) {
  const { url, pool: db } = await createDatabase(t)
  const llm = await startLlmServer()
  t.after(() => llm.close())
  const repository = makeRepository(t, {
    base: { 'orders.py': 'def names(items):\n    return items\n' },
    head: { 'orders.py': 'def names(items, seen=[]):\n    return items\n' },
  })
  const [webhookPort, apiPort] = [await freePort(), await freePort()]
  const env = {
    DATABASE_URL: url,
    WEBHOOK_PORT: String(webhookPort),
    API_PORT: String(apiPort),
    WEBHOOK_HOST: '127.0.0.1',
    API_HOST: '127.0.0.1',
    GIT_WEBHOOK_SECRET: SECRET,
    GIT_REPOSITORY_ROOTS: repository.root,
    LLM_BASE_URL: llm.baseUrl,
    LLM_MODEL: 'fake',
    METRICS_TOKEN: TOKEN,
    ...(receiver ? { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_METRIC_EXPORT_INTERVAL: '500' } : {}),
    ...over,
  }
  const components: Component[] = await Promise.all(types.map((type) => spawnComponent(t, { type, env })))
  // What is pushed before the exporters are there is lost, and these tests want the first webhook.
  await receiver?.until(
    () => new Set(receiver.resources.map((one) => one['service.name'])).size === types.length,
  )

  const handler = `http://127.0.0.1:${webhookPort}`
  const body = JSON.stringify({
    repository: repository.path,
    base: repository.base,
    head: repository.head,
    title: 'T',
  })
  const valid = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`
  return {
    db,
    repository,
    components,
    handler,
    api: `http://127.0.0.1:${apiPort}`,
    async send({ signature = valid } = {}) {
      const headers = { 'x-kodus-delivery': randomUUID(), 'x-kodus-signature-256': signature }
      const response = await fetch(`${handler}/webhooks/git`, { method: 'POST', headers, body })
      return (await response.json()) as { jobId: string }
    },
    async completed(jobId: string) {
      for (;;) {
        const { rows } = await db.query('select status from workflow_jobs where id = $1', [jobId])
        if (rows[0]?.status === 'COMPLETED') return
        assert.ok(['PENDING', 'PROCESSING'].includes(rows[0]?.status), rows[0]?.status)
        await sleep(50)
      }
    },
  }
}
