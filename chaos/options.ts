import { parseArgs } from 'node:util'
import { SABOTAGES } from './sabotage.ts'
import { SORTS, type Sort } from './schedule.ts'

/** What a run is made of. The same options strike the same things at the same webhooks; how it then goes is up to the machine. */
export interface ChaosOptions {
  /** Deliveries that the forge sends. Repetitions are on top. */
  webhooks: number
  seed: number
  /** How many faults strike while they are sent. */
  faults: number
  queue: 'rabbitmq' | 'postgres'
  /** Webhooks a second on average, as far as the workers keep up. */
  rate: number
  /** The sorts of faults that may strike. */
  sorts: readonly Sort[]
  /** How many jobs may wait before no more webhooks are sent: enough to keep every worker busy. */
  backlog: number
  /** Processes of each component. */
  processes: { webhook: number; api: number; worker: number }
  /** Longest time that a process is frozen or a link cut, in seconds. The lease is 30. */
  longestSeconds: number
  /** The share of questions about which the model thinks a while, of 1. */
  thinking: number
  /** Minutes for everything to come to its end, once all is well again. */
  quietMinutes: number
  /** Does not wait for retries that are minutes away: the short run of `npm test`. */
  hasten: boolean
  /** Breaks the product on purpose: names of `sabotage.ts`, with commas between them, or `all`; each in a run of its own. */
  sabotage: string | undefined
  /** Keeps logs and report, whatever comes out. */
  keep: boolean
}

export const USAGE = `npm run chaos -- --webhooks N --seed S [--faults F] [--queue rabbitmq|postgres] [--rate R]
  [--only ${SORTS.join(',')}] [--longest SECONDS]
  [--keep] [--sabotage all, or ${SABOTAGES.map(({ name }) => name).join(',')}]`

const THINKING = 0.2

/** The shortest run in which a lease can lapse and be taken over. */
const SHORT = 500

export function readOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({
    args,
    options: {
      webhooks: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      faults: { type: 'string' },
      queue: { type: 'string', default: 'rabbitmq' },
      rate: { type: 'string' },
      only: { type: 'string', default: SORTS.join(',') },
      longest: { type: 'string' },
      hasten: { type: 'boolean' },
      keep: { type: 'boolean', default: false },
      sabotage: { type: 'string' },
    },
  })
  const webhooks = count('webhooks', values.webhooks)
  const { queue, sabotage } = values
  if (queue !== 'rabbitmq' && queue !== 'postgres') throw new TypeError(`--queue ${queue}: no such queue`)
  const unknown = (sabotage ?? 'all')
    .split(',')
    .find((each) => each !== 'all' && !SABOTAGES.some(({ name }) => name === each))
  if (unknown !== undefined) throw new TypeError(`--sabotage ${unknown}: no such sabotage`)
  const sorts = values.only.split(',').map((name) => {
    const sort = SORTS.find((each) => each === name)
    if (!sort) throw new TypeError(`--only ${name}: no such faults`)
    return sort
  })
  const short = webhooks <= SHORT
  return {
    webhooks,
    seed: count('seed', values.seed),
    faults: count('faults', values.faults ?? String(short ? 8 : Math.max(10, Math.round(webhooks / 400)))),
    queue,
    rate: count('rate', values.rate ?? (short ? '12' : '25')),
    sorts,
    backlog: short ? 40 : 300,
    processes: { webhook: 2, api: short ? 1 : 2, worker: short ? 2 : 3 },
    longestSeconds: count('longest', values.longest ?? (short ? '12' : '45')),
    thinking: THINKING,
    quietMinutes: short ? 2 : 20,
    hasten: values.hasten ?? short,
    sabotage,
    keep: values.keep,
  }
}

function count(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0)
    throw new TypeError(`--${name} ${value}: not a whole number`)
  return number
}
