import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { PushConfig } from './config.ts'
import { metricProducer } from './metric-data.ts'
import { recordSpans } from './record-spans.ts'
import type { Registry } from './registry.ts'

/**
 * Pushes metrics and spans by OTLP until stopped. A collector that is away or slow costs what does not fit
 * into the queue of 2,048 spans, and two lines in the log: when it begins, and when it is over.
 *
 * This file brings OpenTelemetry's SDK with it: it is loaded where something is pushed, and nowhere else.
 */
export function startPush({
  config,
  registry,
  resource: attributes,
  log,
}: {
  config: PushConfig
  registry: Registry
  resource: Readonly<Record<string, string>>
  log: Log
}): { stop(): Promise<void> } {
  const version = attributes['service.version'] ?? ''
  const detected = detectResources({ detectors: [envDetector] })
  const resource = resourceFromAttributes({ ...attributes }).merge(detected)
  const stops: (() => Promise<void>)[] = []

  if (config.pushMetrics) {
    const reader = new PeriodicExportingMetricReader({
      exporter: reported(new OTLPMetricExporter(), 'metrics', log),
      exportIntervalMillis: config.metricIntervalMs,
      exportTimeoutMillis: Math.min(config.metricIntervalMs, EXPORT_TIMEOUT_MS),
      metricProducers: [metricProducer(registry, resource, version)],
    })
    const provider = new MeterProvider({ resource, readers: [reader] })
    stops.push(() => provider.shutdown())
  }
  if (config.pushTraces) {
    const exporter = reported(new OTLPTraceExporter(), 'traces', log)
    const provider = new BasicTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(exporter)] })
    const unsubscribe = recordSpans(provider.getTracer('kodus-ai', version))
    stops.push(() => {
      unsubscribe()
      return provider.shutdown()
    })
  }
  return { stop: async () => void (await Promise.allSettled(stops.map((stop) => stop()))) }
}

const EXPORT_TIMEOUT_MS = 30_000

interface Exporter<Batch> {
  export(batch: Batch, done: (result: ExportResult) => void): void
}

/** The exporter, with a line in the log when it begins to fail, and when it does no more. */
function reported<Batch, Kind extends Exporter<Batch>>(
  exporter: Kind & Exporter<Batch>,
  what: string,
  log: Log,
): Kind {
  const send = exporter.export.bind(exporter)
  let failing = false
  exporter.export = (batch: Batch, done: (result: ExportResult) => void) => {
    send(batch, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS
      if (failed && !failing)
        log.warn(`${what} cannot be pushed, going on without: ${messageOf(result.error)}`)
      if (!failed && failing) log.info(`${what} are pushed again`)
      failing = failed
      done(result)
    })
  }
  return exporter
}
