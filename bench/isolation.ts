// Whether a storm at one component leaves the API alone: its answering times, and the webhooks', while the handler
// is under full load and while all slots of a worker are busy. docs/performance.md says how to read it.
import { parseArgs } from 'node:util'
import { makeLargeChange } from './isolation/large-change.ts'
import { type Measured, measure } from './isolation/measure.ts'
import { createCpuGroups } from './support/cpu-groups.ts'
import { describeMachine } from './support/machine.ts'
import { runBench, startPostgres } from './support/servers.ts'
import { medianOf, round } from './support/statistics.ts'
import { table } from './support/table.ts'

const LOADS = [
  { key: 'quiet', title: 'nothing else', storm: false, burning: false },
  { key: 'storm', title: 'handler under full load', storm: true, burning: false },
  { key: 'burning', title: 'all slots of the worker busy', storm: false, burning: true },
  { key: 'both', title: 'both', storm: true, burning: true },
] as const

const WHAT_IT_SHOWS = `
No shares: all processes compete for the processors, as on a laptop. A share each: every process, PostgreSQL and
the sender of the webhooks too, has a control group of the same weight, as a container has that asks for nothing.
Shown: no component holds a lock, a connection or a thread that another one waits for. Not shown: machines of
their own, where a component does not even have to share the processor and the disk.`

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '8' } },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const machine = describeMachine()

await runBench('isolation', async (bench) => {
  const groups = createCpuGroups('probe')
  if (typeof groups === 'string') console.error(`Without a share for each process: ${groups}.`)
  else bench.onEnd('control groups', () => groups.remove())
  const postgres = await startPostgres(bench)
  const change = makeLargeChange(bench.directory)

  // Once in a group, PostgreSQL stays there: first everything without groups.
  const modes = [
    { key: 'shared', title: 'no shares', groups: undefined },
    ...(typeof groups === 'string' ? [] : [{ key: 'share', title: 'a share each', groups }]),
  ]
  const measured = new Map<string, Measured[]>()
  for (const mode of modes) {
    for (let n = 1; n <= rounds; n++) {
      for (const load of LOADS) {
        console.error(`${mode.title}, round ${n} of ${rounds}: ${load.title}`)
        const name = `${mode.key}_${load.key}_${n}`
        const scene = { ...load, groups: mode.groups }
        const one = await measure(name, scene, { directory: bench.directory, postgres, change, seconds })
        const key = `${mode.key}_${load.key}`
        measured.set(key, [...(measured.get(key) ?? []), one])
      }
    }
  }

  const of = (key: string, read: (one: Measured) => number) => medianOf(measured.get(key) ?? [], read)
  console.log(`${machine}\n${rounds} rounds of ${seconds} s, medians; milliseconds, and processors in use\n`)
  const rows = modes.flatMap((mode) =>
    LOADS.map((load) => {
      const key = `${mode.key}_${load.key}`
      return [
        `${mode.title}: ${load.title}`,
        round(
          of(key, ({ api }) => api.p50),
          1,
        ),
        round(
          of(key, ({ api }) => api.p99),
          1,
        ),
        round(of(key, ({ webhooks }) => webhooks.perSecond)),
        round(
          of(key, ({ webhooks }) => webhooks.p99),
          1,
        ),
        round(
          of(key, ({ cores }) => cores.handler),
          2,
        ),
        round(
          of(key, ({ cores }) => cores.worker),
          2,
        ),
        round(
          of(key, ({ cores }) => cores.postgres),
          2,
        ),
      ]
    }),
  )
  console.log(
    table(['', 'API p50', 'API p99', 'webhooks/s', 'their p99', 'handler', 'worker', 'PostgreSQL'], rows),
  )
  console.log(WHAT_IT_SHOWS)
  console.log(
    JSON.stringify(
      Object.fromEntries(
        [...measured.keys()].map((key) => [
          `api_p99_ms_${key}`,
          round(
            of(key, ({ api }) => api.p99),
            1,
          ),
        ]),
      ),
    ),
  )
})
