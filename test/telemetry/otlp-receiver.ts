import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'

// OTLP 1.x in its JSON encoding, after opentelemetry-proto (common, resource, trace, metrics): names in
// lowerCamelCase, ids in hex, enums as numbers, 64-bit integers as decimal strings or numbers. Every object is
// strict: a field that the protocol does not have fails the request.

const Int64 = v.union([v.pipe(v.string(), v.digits()), v.pipe(v.number(), v.integer(), v.minValue(0))])
const Count = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)))
const Value = v.union([
  v.strictObject({ stringValue: v.string() }),
  v.strictObject({ boolValue: v.boolean() }),
  v.strictObject({ intValue: Int64 }),
  v.strictObject({ doubleValue: v.number() }),
])
const Attributes = v.optional(
  v.array(v.strictObject({ key: v.pipe(v.string(), v.nonEmpty()), value: Value })),
  [],
)
const Resource = v.strictObject({ attributes: Attributes, droppedAttributesCount: Count })
const Scope = v.strictObject({
  name: v.string(),
  version: v.optional(v.string()),
  attributes: Attributes,
  droppedAttributesCount: Count,
})
const hex = (length: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${length}}$`)))

const OtlpSpan = v.strictObject({
  traceId: hex(32),
  spanId: hex(16),
  parentSpanId: v.optional(hex(16)),
  traceState: v.optional(v.string()),
  flags: Count,
  name: v.pipe(v.string(), v.nonEmpty()),
  kind: v.picklist([1, 2, 3, 4, 5]),
  startTimeUnixNano: Int64,
  endTimeUnixNano: Int64,
  attributes: Attributes,
  droppedAttributesCount: Count,
  events: v.optional(v.array(v.unknown())),
  droppedEventsCount: Count,
  links: v.optional(v.array(v.unknown())),
  droppedLinksCount: Count,
  status: v.optional(
    v.strictObject({ code: v.optional(v.picklist([0, 1, 2])), message: v.optional(v.string()) }),
  ),
})

const Traces = v.strictObject({
  resourceSpans: v.array(
    v.strictObject({
      resource: Resource,
      schemaUrl: v.optional(v.string()),
      scopeSpans: v.array(
        v.strictObject({ scope: Scope, schemaUrl: v.optional(v.string()), spans: v.array(OtlpSpan) }),
      ),
    }),
  ),
})

const point = { attributes: Attributes, startTimeUnixNano: Int64, timeUnixNano: Int64, flags: Count }
const Numbers = v.array(v.strictObject({ ...point, asDouble: v.number() }))
const about = { name: v.string(), description: v.string(), unit: v.string() }
const temporality = v.picklist([1, 2])

const OtlpMetric = v.union([
  v.strictObject({ ...about, gauge: v.strictObject({ dataPoints: Numbers }) }),
  v.strictObject({
    ...about,
    sum: v.strictObject({
      dataPoints: Numbers,
      aggregationTemporality: temporality,
      isMonotonic: v.boolean(),
    }),
  }),
  v.strictObject({
    ...about,
    histogram: v.strictObject({
      aggregationTemporality: temporality,
      dataPoints: v.array(
        v.pipe(
          v.strictObject({
            ...point,
            count: Int64,
            sum: v.optional(v.number()),
            min: v.optional(v.number()),
            max: v.optional(v.number()),
            bucketCounts: v.array(Int64),
            explicitBounds: v.array(v.number()),
          }),
          v.check(({ bucketCounts, explicitBounds }) => bucketCounts.length === explicitBounds.length + 1),
          v.check(({ bucketCounts, count }) => sum(bucketCounts) === Number(count)),
        ),
      ),
    }),
  }),
])

const Metrics = v.strictObject({
  resourceMetrics: v.array(
    v.strictObject({
      resource: Resource,
      schemaUrl: v.optional(v.string()),
      scopeMetrics: v.array(
        v.strictObject({ scope: Scope, schemaUrl: v.optional(v.string()), metrics: v.array(OtlpMetric) }),
      ),
    }),
  ),
})

type Labels = Record<string, string | number | boolean>

export interface ReceivedSpan {
  service: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: number
  status: number
  attributes: Labels
}

export interface ReceivedMetric {
  service: string
  name: string
  unit: string
  kind: 'gauge' | 'sum' | 'histogram'
  points: { labels: Labels; value: number }[]
}

export interface OtlpReceiver {
  url: string
  spans: ReceivedSpan[]
  /** Newest last; each push brings every metric again. */
  metrics: ReceivedMetric[]
  resources: Labels[]
  headers: IncomingHttpHeaders[]
  /** What was not as the protocol has it; a test that ends with one fails. */
  faults: string[]
  /** What it does with requests from now on, instead of taking them. */
  behave(answer: ((response: ServerResponse) => void) | undefined): void
  until(condition: () => boolean): Promise<void>
}

/** An OTLP/HTTP receiver on a port of its own. It takes JSON only, and only as the protocol describes it. */
export async function startOtlpReceiver(t: TestContext): Promise<OtlpReceiver> {
  const received = {
    spans: [] as ReceivedSpan[],
    metrics: [] as ReceivedMetric[],
    resources: [] as Labels[],
    headers: [] as IncomingHttpHeaders[],
    faults: [] as string[],
  }
  let instead: ((response: ServerResponse) => void) | undefined

  const take = (path: string, body: unknown) => {
    if (path === '/v1/traces') return takeTraces(v.parse(Traces, body), received)
    if (path === '/v1/metrics') return takeMetrics(v.parse(Metrics, body), received)
    throw new Error(`nothing is sent to ${path}`)
  }
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => '')
    if (instead) return instead(response)
    received.headers.push(request.headers)
    try {
      if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json')
        throw new Error(`${request.method} of ${request.headers['content-type']}`)
      take(request.url ?? '', JSON.parse(body))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    } catch (error) {
      const issues = error instanceof v.ValiError ? JSON.stringify(v.flatten(error.issues)) : ''
      received.faults.push(`${request.url}: ${error} ${issues}`)
      response.writeHead(400).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    // First no new ones: an exporter that tries again would be waited for.
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
    if (received.faults.length > 0) throw new Error(received.faults.join('\n'))
  })
  return {
    ...received,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behave: (answer) => {
      instead = answer
    },
    async until(condition) {
      while (!condition()) await sleep(20)
    },
  }
}

function takeTraces(
  { resourceSpans }: v.InferOutput<typeof Traces>,
  into: { spans: ReceivedSpan[]; resources: Labels[] },
) {
  for (const { resource, scopeSpans } of resourceSpans) {
    const labels = plain(resource.attributes)
    into.resources.push(labels)
    for (const { traceId, spanId, parentSpanId, name, kind, status, attributes } of scopeSpans.flatMap(
      (s) => s.spans,
    )) {
      const service = String(labels['service.name'])
      const about = { service, traceId, spanId, parentSpanId, name, kind }
      into.spans.push({ ...about, status: status?.code ?? 0, attributes: plain(attributes) })
    }
  }
}

function takeMetrics(
  { resourceMetrics }: v.InferOutput<typeof Metrics>,
  into: { metrics: ReceivedMetric[]; resources: Labels[] },
) {
  for (const { resource, scopeMetrics } of resourceMetrics) {
    const labels = plain(resource.attributes)
    into.resources.push(labels)
    for (const metric of scopeMetrics.flatMap((scope) => scope.metrics)) {
      const about = { service: String(labels['service.name']), name: metric.name, unit: metric.unit }
      const numbers = (points: v.InferOutput<typeof Numbers>) =>
        points.map(({ attributes, asDouble }) => ({ labels: plain(attributes), value: asDouble }))
      if ('gauge' in metric)
        into.metrics.push({ ...about, kind: 'gauge', points: numbers(metric.gauge.dataPoints) })
      else if ('sum' in metric)
        into.metrics.push({ ...about, kind: 'sum', points: numbers(metric.sum.dataPoints) })
      else {
        const points = metric.histogram.dataPoints.map(({ attributes, count }) => ({
          labels: plain(attributes),
          value: Number(count),
        }))
        into.metrics.push({ ...about, kind: 'histogram', points })
      }
    }
  }
}

function plain(attributes: v.InferOutput<typeof Attributes>): Labels {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0] as string | number | boolean]),
  )
}

function sum(counts: readonly (string | number)[]): number {
  return counts.reduce<number>((total, count) => total + Number(count), 0)
}
