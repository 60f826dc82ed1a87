export interface EmbeddedMetrics {
  /** Of CloudWatch, as `Kodus`. */
  namespace: string
  /** All of them together are one set: each combination of values is a metric of its own, which is paid for. */
  dimensions: Readonly<Record<string, string>>
  /** Values by name; 100 at most. */
  metrics: Readonly<Record<string, { value: number; unit: 'Count' | 'Seconds' }>>
  at: Date
}

/**
 * The fields of a log line of which CloudWatch Logs makes metrics, without SDK or credentials: CloudWatch's embedded
 * metric format. Other fields may stand beside them.
 */
export function embeddedMetrics({ namespace, dimensions, metrics, at }: EmbeddedMetrics): object {
  const entries = Object.entries(metrics)
  return {
    _aws: {
      Timestamp: at.getTime(),
      CloudWatchMetrics: [
        {
          Namespace: namespace,
          Dimensions: [Object.keys(dimensions)],
          Metrics: entries.map(([Name, { unit }]) => ({ Name, Unit: unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(entries.map(([name, { value }]) => [name, value])),
  }
}
