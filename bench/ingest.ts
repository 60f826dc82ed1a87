// Webhooks accepted durably, beside what else one could do with them. The handler has a processor to itself;
// PostgreSQL, RabbitMQ and the load generator share the others. docs/performance.md says how to read it.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installOnce } from '../scripts/install-once.ts'
import { type Measured, measure } from './ingest/measure.ts'
import { createPayloads } from './ingest/payload.ts'
import { bare, committed, naive, probot, published } from './ingest/variants.ts'
import { allowedCpus, confineSelf, describeMachine } from './support/machine.ts'
import { runBench, startPostgres, startRabbitmq } from './support/servers.ts'
import { medianOf, round } from './support/statistics.ts'
import { table } from './support/table.ts'

const VARIANTS = {
  bare: { variant: bare, title: 'bare node:http: verify, parse' },
  committed: { variant: committed, title: 'ours: commit' },
  published: { variant: published, title: 'ours: commit, publish' },
  naive: { variant: naive, title: 'naive: one insert each, jsonb' },
  probot: { variant: probot, title: 'Probot, a handler that does nothing' },
}
type Name = keyof typeof VARIANTS
const NAMES = Object.keys(VARIANTS) as Name[]

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '5' } },
})
const rounds = Number(values.rounds)
const timing = { seconds: Number(values.seconds), warmUpSeconds: 2 }

const machine = describeMachine()
const [first, ...others] = allowedCpus()
if (first === undefined || others.length === 0) throw new Error('This bench needs two processors.')
installOnce(fileURLToPath(new URL('peers/', import.meta.url)), 'the libraries to compare with')
confineSelf(others)

await runBench('ingest', async (bench) => {
  const [postgres, rabbitmq] = await Promise.all([startPostgres(bench), startRabbitmq(bench)])
  const surroundings = { directory: bench.directory, postgres, rabbitmq, processors: [first] }
  const measured: Record<Name, Measured[]> = { bare: [], committed: [], published: [], naive: [], probot: [] }
  for (let n = 1; n <= rounds; n++) {
    for (const name of NAMES) {
      console.error(`round ${n} of ${rounds}: ${VARIANTS[name].title}`)
      measured[name].push(await measure(VARIANTS[name].variant, `${name}_${n}`, surroundings, timing))
    }
  }

  const of = (name: Name, field: keyof Measured) => medianOf(measured[name], (one) => one[field])
  const handlerRatio = (name: Name) => round(of('bare', 'handler') / of(name, 'handler'), 2)
  console.log(`${machine}\n${postgres.settings}; RabbitMQ ${rabbitmq.version}, quorum queues`)
  console.log(
    `${rounds} interleaved rounds of ${timing.seconds} s at full speed and ${timing.seconds} s at half of it, medians; 64 keep-alive`,
  )
  console.log(
    `connections; ${createPayloads().size.toLocaleString('en-US')} bytes a webhook, all different and signed. Handler on processor ${first}, all else on ${others}.\n`,
  )
  console.log(
    table(
      [
        '',
        'req/s',
        'handler µs',
        'PostgreSQL µs',
        'RabbitMQ µs',
        'total µs',
        'bare ÷ handler',
        'p50 ms',
        'p99 ms',
      ],
      NAMES.map((name) => [
        VARIANTS[name].title,
        round(of(name, 'requestsPerSecond')),
        round(of(name, 'handler')),
        round(of(name, 'postgres')),
        round(of(name, 'rabbitmq')),
        round(of(name, 'total')),
        handlerRatio(name),
        round(of(name, 'p50'), 1),
        round(of(name, 'p99'), 1),
      ]),
    ),
  )
  console.log(
    '\nµs: processor time a webhook at full speed. p50, p99: at half of the full speed. Every 202 has its row.',
  )
  console.log(
    JSON.stringify({
      ratio_commit: handlerRatio('committed'),
      ratio_confirm: handlerRatio('published'),
      ratio_probot: round(of('published', 'requestsPerSecond') / of('probot', 'requestsPerSecond'), 2),
      ratio_naive: round(of('naive', 'total') / of('published', 'total'), 2),
      cpu_us_per_webhook: round(of('published', 'total')),
    }),
  )
})
