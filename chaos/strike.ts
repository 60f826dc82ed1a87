import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultHandle, GitHub } from '../test/github/server.ts'
import type { Fault as GitHubFault } from '../test/github/types.ts'
import {
  answers,
  type Behaviour,
  breaksOff,
  fails,
  hangsUp,
  type LlmServer,
  says,
} from '../test/support/llm-server.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import { type Fault, type ForgeFailure, type ForgePlace, type ModelFailure, nameOf } from './schedule.ts'
import type { Broker, Store } from './stores.ts'
import type { Supervised } from './supervisor.ts'

/** All that can be struck. */
export interface Victims {
  processes: ReadonlyMap<string, Supervised>
  database: Store
  broker: Broker | undefined
  network: Network
  github: GitHub
  model: LlmServer
  /** What the model does when all is well with it. */
  thinks: Behaviour
}

export interface Striker {
  /** Lets a fault happen, after whatever strikes the same thing at the moment. */
  strike(fault: Fault): void
  /** Resolves when every fault has struck and had its time, and everything is as it was. */
  heal(): Promise<void>
  /** How often each fault struck, by its name; and, of those of forge and model, how many requests it met. */
  struck: Map<string, { times: number; requests: number }>
  /** What could not be done: a server that would not start again. */
  failures: string[]
}

const NOTHING = answers({ findings: [] })

/** A model that finds nothing, and thinks a while about some: so that jobs run when something happens to them. */
export function slowModel(random: Random, thinking: number): Behaviour {
  return (request, response) => {
    if (!random.chance(thinking)) return NOTHING(request, response)
    setTimeout(NOTHING, random.whole(500, LONGEST_THOUGHT_MS), request, response)
  }
}

const LONGEST_THOUGHT_MS = 10_000

const HUGE = '1000GB'
const PLENTY = '50MB'

export function createStriker(victims: Victims, say: (line: string) => void): Striker {
  const struck: Striker['struck'] = new Map()
  const failures: string[] = []
  const busy = new Map<string, Promise<void>>()
  const handles: { name: string; handle: FaultHandle }[] = []
  const pass = (seconds: number) => sleep(seconds * 1000)

  const count = (name: string, requests: number) => {
    const before = struck.get(name) ?? { times: 0, requests: 0 }
    struck.set(name, { times: before.times + (requests > 0 ? 0 : 1), requests: before.requests + requests })
  }

  async function happen(fault: Fault): Promise<void> {
    say(
      `${nameOf(fault)}${'process' in fault && fault.process ? ` (${fault.process})` : ''}, ${fault.seconds} s`,
    )
    count(nameOf(fault), 0)
    switch (fault.kind) {
      case 'kill':
        return processOf(fault.process).signal('SIGKILL')
      case 'restart':
        return processOf(fault.process).signal('SIGTERM')
      case 'freeze': {
        const frozen = processOf(fault.process)
        frozen.signal('SIGSTOP')
        await pass(fault.seconds)
        return frozen.signal('SIGCONT')
      }
      case 'clock': {
        const moved = processOf(fault.process)
        moved.shiftClock((fault.clockSeconds ?? 0) * 1000)
        await pass(fault.seconds)
        return moved.shiftClock(0)
      }
      case 'store-kill':
      case 'store-restart': {
        const store = fault.store === 'database' ? victims.database : brokerOf()
        await (fault.kind === 'store-kill' ? store.kill() : store.stop())
        await pass(fault.seconds)
        return store.start()
      }
      case 'broker-freeze':
        brokerOf().freeze()
        await pass(fault.seconds)
        return brokerOf().thaw()
      case 'broker-disk':
        await brokerOf().ctl(['set_disk_free_limit', HUGE])
        await pass(fault.seconds)
        return void (await brokerOf().ctl(['set_disk_free_limit', PLENTY]))
      case 'link-cut':
      case 'link-blackhole':
      case 'link-slow': {
        const links = victims.network.links(fault.service, fault.process)
        for (const link of links) {
          if (fault.kind === 'link-cut') link.cut()
          else if (fault.kind === 'link-blackhole') link.blackhole()
          else link.delay(fault.delayMs ?? 0)
        }
        await pass(fault.seconds)
        for (const link of links) link.restore()
        return
      }
      case 'forge': {
        const handle = victims.github.fail({
          ...placeOf(fault.where, fault.how),
          times: fault.times,
          with: failureOf(fault.how),
        })
        handles.push({ name: nameOf(fault), handle })
        await pass(fault.seconds)
        return handle.release()
      }
      case 'model': {
        const failing = Array<Behaviour>(fault.times).fill(behaviourOf(fault.how, fault.seconds))
        const counted = failing.map(
          (behaviour): Behaviour =>
            (request, response) => {
              count(nameOf(fault), 1)
              behaviour(request, response)
            },
        )
        const [first, ...rest] = counted
        if (first) victims.model.behave(first, ...rest, victims.thinks)
        return
      }
    }
  }

  const processOf = (name: string): Supervised => {
    const found = victims.processes.get(name)
    if (!found) throw new Error(`there is no process ${name}`)
    return found
  }
  const brokerOf = (): Broker => {
    if (!victims.broker) throw new Error('there is no broker')
    return victims.broker
  }

  return {
    struck,
    failures,
    strike(fault) {
      const key = resourceOf(fault)
      const before = busy.get(key) ?? Promise.resolve()
      const after = before
        .then(() => happen(fault))
        .catch((error: unknown) => void failures.push(`${nameOf(fault)}: ${error}`))
      busy.set(key, after)
    },
    async heal() {
      await Promise.all(busy.values())
      victims.github.recover()
      victims.model.behave(NOTHING)
      for (const { name, handle } of handles.splice(0))
        if (handle.happened() > 0) count(name, handle.happened())
    },
  }
}

/** Two faults of the same thing come one after the other. */
function resourceOf(fault: Fault): string {
  switch (fault.kind) {
    case 'kill':
    case 'freeze':
    case 'restart':
    case 'clock':
      return fault.process
    case 'store-kill':
    case 'store-restart':
      return fault.store
    case 'broker-freeze':
    case 'broker-disk':
      return 'broker'
    case 'link-cut':
    case 'link-blackhole':
    case 'link-slow':
      return `link to ${fault.service}`
    case 'forge':
      return `forge at ${fault.where}`
    case 'model':
      return 'model'
  }
}

function failureOf(how: ForgeFailure): GitHubFault['with'] {
  switch (how) {
    case 'fails':
      return { status: 502 }
    case 'does-it-and-fails':
      return { statusAfter: 500 }
    case 'hangs-up':
      return { cut: 'before' }
    case 'does-it-and-hangs-up':
      return { cut: 'after' }
    case 'breaks-off':
      return { cut: 'body' }
    case 'hangs':
      return { hold: 'before' }
    case 'does-it-and-hangs':
      return { hold: 'after' }
    case 'limits':
      return { primaryLimit: { resetInSeconds: 5 } }
    case 'limits-secondarily':
      return { secondaryLimit: { retryAfter: 3 } }
    case 'forgets-who-we-are':
      return { status: 401, message: 'Bad credentials' }
    case 'fails-in-graphql':
      return { graphqlErrors: [{ message: 'Something went wrong while executing your query.' }] }
  }
}

/** Git is spared: its faults are those of its links, and it knows no other of these. */
function placeOf(where: ForgePlace, how: ForgeFailure): Pick<GitHubFault, 'method' | 'path'> {
  if (how === 'fails-in-graphql') return { path: /^\/graphql$/ }
  switch (where) {
    case 'anywhere':
      return { path: /^\/(repos|graphql)/ }
    case 'create-review':
      return { method: 'POST', path: /\/pulls\/\d+\/reviews$/ }
    case 'submit-review':
      return { method: 'POST', path: /\/reviews\/\d+\/events$/ }
    case 'comment':
      return { method: 'POST', path: /\/issues\/\d+\/comments$/ }
    case 'check-run':
      return { path: /\/check-runs/ }
    case 'pull-request':
      return { method: 'GET', path: /\/pulls\/\d+$/ }
  }
}

function behaviourOf(how: ModelFailure, seconds: number): Behaviour {
  switch (how) {
    case 'fails':
      return fails(500)
    case 'limits':
      return fails(429, { message: 'Rate limit reached' }, { 'retry-after': '3' })
    case 'hangs-up':
      return hangsUp
    case 'breaks-off':
      return breaksOff
    case 'hangs':
      return (_, response) => void setTimeout(() => response.destroy(), seconds * 1000)
    case 'babbles':
      return says('I have thought about it, and all is well.')
  }
}
