import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { KodusError } from '../../src/lib/errors.ts'
import { webhookDuration, webhooks } from '../../src/lib/telemetry/catalogue.ts'
import { startTelemetry } from '../../src/lib/telemetry/telemetry.ts'
import { annotate, SPANS, traced, traceparent } from '../../src/lib/telemetry/trace.ts'
import { type OtlpReceiver, startOtlpReceiver } from './otlp-receiver.ts'

// The exporters read the environment when they are made: one test at a time sets it.

async function start(t: TestContext, receiver: OtlpReceiver, env: Record<string, string> = {}) {
  const before = { ...process.env }
  t.after(() => {
    process.env = before
  })
  const all = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '50', ...env }
  Object.assign(process.env, all)
  const lines: { level: number; msg: string }[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)))
      done()
    },
  })
  const telemetry = startTelemetry({
    component: 'test',
    instanceId: 'an-installation',
    config: { pushMetrics: true, pushTraces: true, metricIntervalMs: 100 },
    log: pino(stream),
  })
  await receiver.until(() => SPANS.hasSubscribers)
  return { telemetry, lines }
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

test('metrics are pushed as OTLP, cumulated, with who tells them', { timeout: 30_000 }, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { telemetry } = await start(t, receiver, {
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=secret',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging',
  })
  webhooks.add({ forge: 'git', path: 'database', outcome: 'accepted' }, 3)
  webhookDuration.record({ forge: 'git', path: 'database' }, 0.02)
  await telemetry.stop()
  webhooks.add({ forge: 'git', path: 'database', outcome: 'accepted' })

  const last = (name: string) => receiver.metrics.findLast((metric) => metric.name === name)
  assert.deepEqual(last('kodus.webhooks'), {
    service: 'kodus-test',
    name: 'kodus.webhooks',
    unit: '{webhook}',
    kind: 'sum',
    points: [{ labels: { forge: 'git', path: 'database', outcome: 'accepted' }, value: 3 }],
  })
  assert.deepEqual(last('kodus.webhook.duration')?.points, [
    { labels: { forge: 'git', path: 'database' }, value: 1 },
  ])
  assert.ok((last('process.memory.usage')?.points[0]?.value ?? 0) > 1e7)
  const [resource] = receiver.resources
  assert.equal(resource?.['service.namespace'], 'an-installation')
  assert.equal(resource?.['deployment.environment.name'], 'staging')
  assert.match(String(resource?.['service.version']), /^\d+\.\d+\.\d+/)
  assert.match(String(resource?.['service.instance.id']), new RegExp(`:${process.pid}$`))
  assert.equal(receiver.headers[0]?.['x-key'], 'secret')
})

test('spans nest, go on with the trace of another process, and end with a code', {
  timeout: 30_000,
}, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { telemetry } = await start(t, receiver)
  let told: string | undefined
  await traced({ name: 'webhook', kind: 'server' }, async () => {
    annotate({ 'kodus.job.id': '1' })
    await Promise.all([traced({ name: 'verify' }, async () => {}), traced({ name: 'store' }, async () => {})])
    told = traceparent()
  })
  assert.equal(traceparent(), undefined, 'outside of a span there is none')
  const failing = traced({ name: 'attempt', kind: 'consumer', parent: told }, () =>
    traced({ name: 'stage' }, async () => {
      throw new KodusError('GIT_UNREACHABLE', 'cannot read https://token@host/secret-repository', {
        help: '',
      })
    }),
  )
  await assert.rejects(failing, /secret-repository/)
  await traced({ name: 'begins anew', parent: 'not a traceparent' }, async () => {})
  await traced({ name: 'failed quietly' }, async () => annotate({ 'error.type': 'GIT_UNREACHABLE' }))
  await telemetry.stop()

  const span = (name: string) => {
    const found = receiver.spans.find((candidate) => candidate.name === name)
    assert.ok(found, `no span ${name}`)
    return found
  }
  const root = span('webhook')
  assert.equal(told, `00-${root.traceId}-${root.spanId}-01`)
  assert.equal(root.parentSpanId, undefined)
  assert.deepEqual(root.attributes, { 'kodus.job.id': '1' })
  for (const name of ['verify', 'store', 'attempt']) {
    assert.equal(span(name).traceId, root.traceId, name)
    assert.equal(span(name).parentSpanId, root.spanId, name)
  }
  assert.equal(span('stage').parentSpanId, span('attempt').spanId)
  for (const name of ['attempt', 'stage', 'failed quietly']) {
    assert.equal(span(name).status, 2)
    assert.deepEqual(span(name).attributes, { 'error.type': 'GIT_UNREACHABLE' })
  }
  assert.notEqual(span('begins anew').traceId, root.traceId)
  assert.equal(JSON.stringify(receiver.spans).includes('secret-repository'), false)
})

test('what was not sampled at the webhook is not recorded in the worker either', {
  timeout: 30_000,
}, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { telemetry } = await start(t, receiver)
  const unsampled = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`
  await traced({ name: 'attempt', parent: unsampled }, async () => {
    assert.match(traceparent() ?? '', /^00-a{32}-[0-9a-f]{16}-00$/)
  })
  await traced({ name: 'another' }, async () => {})
  await telemetry.stop()
  assert.deepEqual(
    receiver.spans.map(({ name }) => name),
    ['another'],
  )
})

test('OTEL_TRACES_SAMPLER decides which traces begin', { timeout: 30_000 }, async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { telemetry } = await start(t, receiver, { OTEL_TRACES_SAMPLER: 'always_off' })
  await traced({ name: 'webhook' }, async () => {})
  await telemetry.stop()
  assert.deepEqual(receiver.spans, [])
})

test('a collector that fails is logged once, and once when it is back', { timeout: 60_000 }, async (t) => {
  const receiver = await startOtlpReceiver(t)
  let refused = 0
  receiver.behave((response) => {
    refused++
    response.writeHead(400).end()
  })
  const { telemetry, lines } = await start(t, receiver)
  await receiver.until(() => refused >= 4)
  const warnings = () => lines.filter(({ level }) => level === 40).map(({ msg }) => msg)
  assert.equal(warnings().length, 1, warnings().join('\n'))
  assert.match(warnings()[0] ?? '', /^metrics cannot be pushed, going on without: /)
  receiver.behave(undefined)
  await receiver.until(() => lines.some(({ msg }) => msg === 'metrics are pushed again'))
  await telemetry.stop()
  assert.equal(warnings().length, 1)
})

test('a collector that never answers holds up neither the work nor the end', {
  timeout: 60_000,
}, async (t) => {
  const receiver = await startOtlpReceiver(t)
  receiver.behave(() => {})
  const { telemetry } = await start(t, receiver)
  const before = heapAfterCollection()
  for (let i = 0; i < 50_000; i++) await traced({ name: 'webhook', kind: 'server' }, async () => {})
  const grown = (heapAfterCollection() - before) / 2 ** 20
  assert.ok(grown < 15, `${grown} MB: 50,000 spans that are kept take some 40, the queue of 2,048 takes 2`)
  const began = performance.now()
  await telemetry.stop()
  const took = performance.now() - began
  assert.ok(took < 5_000, `it gives up after 2 s, not after ${took} ms`)
})
