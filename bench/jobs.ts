// Jobs that do nothing, from a single enqueue to COMPLETED, sixteen at a time, beside other job queues.
// docs/performance.md says how to read it.
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { installOnce } from '../scripts/install-once.ts'
import { type Measured, measure } from './jobs/measure.ts'
import { CONCURRENCY } from './jobs/system.ts'
import { SYSTEMS, type SystemName } from './jobs/systems.ts'
import { describeMachine } from './support/machine.ts'
import { startRedis } from './support/redis.ts'
import { runBench, startPostgres, startRabbitmq } from './support/servers.ts'
import { medianOf, round } from './support/statistics.ts'
import { table } from './support/table.ts'

const TITLES: Record<SystemName, string> = {
  'ours-postgres': 'ours, PostgreSQL as the queue',
  'ours-rabbitmq': 'ours, RabbitMQ',
  'graphile-worker': 'graphile-worker',
  'pg-boss': 'pg-boss',
  bullmq: 'BullMQ',
}
const NAMES = Object.keys(SYSTEMS) as SystemName[]
const PEERS = NAMES.filter((name) => !name.startsWith('ours'))

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '5000' },
    only: { type: 'string', default: NAMES.join() },
  },
})
const jobs = Number(values.jobs)
const chosen = NAMES.filter((name) => values.only.split(',').includes(name))

const machine = describeMachine()
installOnce(fileURLToPath(new URL('peers/', import.meta.url)), 'the libraries to compare with')

await runBench('jobs', async (bench) => {
  const [postgres, rabbitmq, redis] = await Promise.all([
    startPostgres(bench),
    startRabbitmq(bench),
    startRedis(bench),
  ])
  const measured = new Map<SystemName, Measured[]>(chosen.map((name) => [name, []]))
  for (let n = 1; n <= Number(values.rounds); n++) {
    for (const name of chosen) {
      console.error(`round ${n} of ${values.rounds}: ${TITLES[name]}`)
      const database = `${name.replace('-', '_')}_${n}`
      const stores = {
        database: await postgres.createDatabase(database, { migrated: name.startsWith('ours') }),
        redis: `${redis.url}/${n % 16}`,
        rabbitmq: rabbitmq.url,
      }
      measured.get(name)?.push(await measure(name, stores, { jobs, directory: bench.directory }))
      await postgres.dropDatabase(database)
    }
  }

  const of = (name: SystemName, field: keyof Measured) =>
    medianOf(measured.get(name) ?? [], (one) => one[field])
  const best = Math.max(
    ...PEERS.filter((name) => measured.has(name)).map((name) => of(name, 'completedPerSecond')),
  )
  console.log(machine)
  console.log(`${postgres.settings}; Redis ${redis.version}, appendonly yes, appendfsync always`)
  console.log(
    `${values.rounds} interleaved rounds of ${jobs} jobs, medians; ${CONCURRENCY} callers enqueue one by one, ${CONCURRENCY} jobs run at a time\n`,
  )
  console.log(
    table(
      ['', 'enqueued/s', 'completed/s', '÷ best peer'],
      chosen.map((name) => [
        TITLES[name],
        round(of(name, 'enqueuedPerSecond')),
        round(of(name, 'completedPerSecond')),
        round(of(name, 'completedPerSecond') / best, 2),
      ]),
    ),
  )
  const ours = {
    postgres: of('ours-postgres', 'completedPerSecond'),
    rabbitmq: of('ours-rabbitmq', 'completedPerSecond'),
  }
  console.log(
    JSON.stringify({
      ratio_best_peer: round(Math.min(ours.postgres, ours.rabbitmq) / best, 2),
      postgres: round(ours.postgres / best, 2),
      rabbitmq: round(ours.rabbitmq / best, 2),
    }),
  )
})
