import { type HrTime, ValueType } from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics'
import type { Definition } from './instrument.ts'
import type { Family, Registry, Series } from './registry.ts'

/** A registry as OpenTelemetry's exporters want to read it. Sums are cumulative, as in a scrape. */
export function metricProducer(registry: Registry, resource: Resource, version: string): MetricProducer {
  return {
    async collect(): Promise<CollectionResult> {
      const families = await registry.collect()
      const span = { startTime: hrTime(registry.since), endTime: hrTime(new Date()) }
      const metrics = families.map((family) => toMetricData(family, span))
      const scopeMetrics = [{ scope: { name: 'kodus-ai', version }, metrics }]
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] }
    },
  }
}

interface Span {
  startTime: HrTime
  endTime: HrTime
}

function toMetricData({ definition, series }: Family, span: Span): MetricData {
  const { name, help: description, unit, kind, buckets: boundaries } = definition
  const about = {
    descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  }
  const point = (one: Series) => ({ ...span, attributes: attributesOf(definition, one) })
  const numbers = () => series.map((one) => ({ ...point(one), value: one.value }))
  switch (kind) {
    case 'counter':
      return { ...about, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers() }
    case 'gauge':
      return { ...about, dataPointType: DataPointType.GAUGE, dataPoints: numbers() }
    case 'histogram':
      return {
        ...about,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: series.map((one) => {
          const count = one.counts.reduce((sum, bucket) => sum + bucket, 0)
          const buckets = { boundaries: [...boundaries], counts: one.counts }
          return { ...point(one), value: { buckets, count, sum: one.value } }
        }),
      }
  }
}

function attributesOf({ labels }: Definition, series: Series): Record<string, string> {
  const named = labels.map((label, index): [string, string] => [label, series.labels[index] ?? ''])
  return Object.fromEntries(named.filter(([, text]) => text !== ''))
}

function hrTime(date: Date): HrTime {
  const ms = date.getTime()
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6]
}
