import type { Definition } from './instrument.ts'
import type { Family, Series } from './registry.ts'

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Units as Prometheus spells them at the end of a name. `1` is a ratio; `{…}` is no unit. */
const SPELLED: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio' }

/**
 * OpenMetrics 1.0 text. Names and labels are what OpenTelemetry's rules for Prometheus make of them, so that a
 * metric has one name, whether it was scraped here or pushed to a collector and read there.
 *
 * @param resource of this process, shown as `target_info`
 */
export function renderOpenMetrics(
  families: readonly Family[],
  resource: Readonly<Record<string, string>>,
): string {
  const target = sample('target_info', Object.entries(resource), 1)
  const lines = families.flatMap(({ definition, series }) => [
    ...describe(definition),
    ...series.flatMap((one) => samples(definition, one)),
  ])
  return [
    '# TYPE target info',
    '# HELP target The process that tells this.',
    target,
    ...lines,
    '# EOF',
    '',
  ].join('\n')
}

/** Without a counter's `_total`, which OpenMetrics gives to its sample only. */
export function prometheusName({ name, unit }: Definition): string {
  const flat = plain(name)
  const suffix = SPELLED[unit]
  return suffix && !flat.endsWith(`_${suffix}`) ? `${flat}_${suffix}` : flat
}

function describe(definition: Definition): string[] {
  const name = prometheusName(definition)
  const unit = SPELLED[definition.unit]
  return [
    `# TYPE ${name} ${definition.kind}`,
    ...(unit ? [`# UNIT ${name} ${unit}`] : []),
    `# HELP ${name} ${escaped(definition.help)}`,
  ]
}

function samples(definition: Definition, { labels, value, counts }: Series): string[] {
  const name = prometheusName(definition)
  const named = definition.labels.map((label, index): [string, string] => [label, labels[index] ?? ''])
  if (definition.kind === 'counter') return [sample(`${name}_total`, named, value)]
  if (definition.kind === 'gauge') return [sample(name, named, value)]
  let below = 0
  const buckets = counts.map((count, index) => {
    below += count
    const bound = definition.buckets[index]
    return sample(`${name}_bucket`, [...named, ['le', bound === undefined ? '+Inf' : float(bound)]], below)
  })
  return [...buckets, sample(`${name}_count`, named, below), sample(`${name}_sum`, named, value)]
}

function sample(name: string, labels: readonly [string, string][], value: number): string {
  // An empty label is no label, in Prometheus' eyes as well.
  const shown = labels.filter(([, text]) => text !== '')
  const list = shown.map(([label, text]) => `${plain(label)}="${escaped(text)}"`).join(',')
  return `${name}${list && `{${list}}`} ${value}`
}

/** Bounds are compared as text by those who read them: always with a point. */
function float(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value)
}

function plain(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_')
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
