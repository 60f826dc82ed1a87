import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { silentLog } from '../../src/lib/log.ts'
import { CATALOGUE } from '../../src/lib/telemetry/catalogue.ts'
import { counter, gauge, histogram } from '../../src/lib/telemetry/instrument.ts'
import { prometheusName, renderOpenMetrics } from '../../src/lib/telemetry/open-metrics.ts'
import { createRegistry } from '../../src/lib/telemetry/registry.ts'

test('metrics are rendered as OpenMetrics 1.0 has it', async () => {
  const done = counter('test.done', {
    unit: '{thing}',
    help: 'Done "well"\\\nor not.',
    labels: ['how', 'code'],
  })
  const took = histogram('test.took', { unit: 's', help: 'Took.', labels: ['what'], buckets: [0.25, 1] })
  const size = gauge('test.size', { unit: 'By', help: 'Size.' })
  const registry = createRegistry([done, took, size], silentLog)
  registry.observe('size', () => [size.is(1.5, {})])
  done.add({ how: 'a "quote", a \\ and a\nbreak', code: '' })
  for (const value of [0.25, 0.5, 3]) took.record({ what: 'w' }, value)
  const text = renderOpenMetrics(await registry.collect(), { 'service.name': 'kodus-test' })
  registry.close()
  assert.equal(
    text,
    `# TYPE target info
# HELP target The process that tells this.
target_info{service_name="kodus-test"} 1
# TYPE test_done counter
# HELP test_done Done \\"well\\"\\\\\\nor not.
test_done_total{how="a \\"quote\\", a \\\\ and a\\nbreak"} 1
# TYPE test_took_seconds histogram
# UNIT test_took_seconds seconds
# HELP test_took_seconds Took.
test_took_seconds_bucket{what="w",le="0.25"} 1
test_took_seconds_bucket{what="w",le="1.0"} 2
test_took_seconds_bucket{what="w",le="+Inf"} 3
test_took_seconds_count{what="w"} 3
test_took_seconds_sum{what="w"} 3.75
# TYPE test_size_bytes gauge
# UNIT test_size_bytes bytes
# HELP test_size_bytes Size.
test_size_bytes 1.5
# EOF
`,
  )
})

test('names are unique, in both spellings, and no label is one that a scrape adds or a bucket has', () => {
  const names = CATALOGUE.map(({ definition }) => definition.name)
  assert.equal(new Set(names).size, names.length)
  const spelled = CATALOGUE.map(({ definition }) => prometheusName(definition))
  assert.equal(new Set(spelled).size, spelled.length)
  for (const { definition } of CATALOGUE) {
    assert.match(definition.name, /^[a-z0-9]+(\.[a-z0-9_]+)+$/)
    for (const label of definition.labels) {
      assert.match(label, /^[a-z_]+$/, definition.name)
      assert.ok(!['le', 'quantile', 'job', 'instance', 'repository', 'organisation'].includes(label), label)
    }
  }
})

test('docs/metrics.md lists every metric, with its labels, and no other', () => {
  const table = /<!-- metrics -->\n([\s\S]*?)<!-- \/metrics -->/.exec(
    readFileSync('docs/metrics.md', 'utf8'),
  )?.[1]
  const expected = [
    '| OpenTelemetry | Prometheus | labels | |',
    '|---|---|---|---|',
    ...CATALOGUE.map(({ definition }) => {
      const { name, kind, labels, help } = definition
      const scraped = `${prometheusName(definition)}${kind === 'counter' ? '_total' : ''}`
      return `| \`${name}\` | ${kind} \`${scraped}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`
    }),
    '',
  ].join('\n')
  assert.equal(table, expected, `Put this between the markers in docs/metrics.md:\n\n${expected}`)
})
