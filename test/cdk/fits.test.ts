import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { planHosts } from '../../infra/cdk/settings/plan-hosts.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import {
  type Counts,
  fits,
  HOST,
  hostsFor,
  mostThatFits,
  ofTable,
  roomOf,
  TYPES,
} from '../../src/ecs-capacity.ts'

const T3_XLARGE = roomOf(HOST)
const counts = fc.record({ webhook: fc.nat(6), api: fc.nat(6), worker: fc.nat(6) })
const room = fc.record({
  cpuUnits: fc.integer({ min: 256, max: 8192 }),
  memoryMb: fc.integer({ min: 512, max: 16_384 }),
})

describe('what fits the hosts', () => {
  test('one t3.xlarge holds one task of each, and not two', () => {
    assert.equal(fits({ webhook: 1, api: 1, worker: 1 }, 1, T3_XLARGE), true)
    assert.equal(fits({ webhook: 2, api: 2, worker: 2 }, 1, T3_XLARGE), false)
    assert.deepEqual(mostThatFits(ofTable('desired'), 1, T3_XLARGE), { webhook: 1, api: 1, worker: 1 })
  })

  test('what it says fits finds room in whatever order it comes and wherever it is put, with one more of any component', () => {
    fc.assert(
      fc.property(
        counts,
        fc.integer({ min: 1, max: 6 }),
        room,
        fc.infiniteStream(fc.nat()),
        (asked, hosts, of, choices) => {
          fc.pre(fits(asked, hosts, of))
          for (const surging of TYPES) assert.equal(place(asked, surging, hosts, of, choices), true)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('it does not refuse what one host holds by plain addition', () => {
    fc.assert(
      fc.property(counts, (asked) => {
        const used = TYPES.reduce((sum, type) => sum + asked[type] * COMPONENTS[type].task.cpuUnits, 0)
        assert.equal(fits(asked, 1, T3_XLARGE), used + COMPONENTS.worker.task.cpuUnits <= T3_XLARGE.cpuUnits)
      }),
    )
  })

  test('a task that is larger than a host fits no number of hosts', () => {
    assert.equal(hostsFor({ webhook: 0, api: 0, worker: 1 }, { cpuUnits: 512, memoryMb: 4096 }), undefined)
  })

  test('memory counts as processor does', () => {
    const small = { cpuUnits: 1_000_000, memoryMb: 4096 }
    assert.equal(fits({ webhook: 0, api: 0, worker: 1 }, 1, small), true)
    assert.equal(fits({ webhook: 1, api: 0, worker: 1 }, 1, small), false)
  })

  test('the table needs 5 hosts at its desired counts, 3 at its least, 20 at its most', () => {
    const hosts = (['desired', 'min', 'max'] as const).map((column) => hostsFor(ofTable(column), T3_XLARGE))
    assert.deepEqual(hosts, [5, 3, 20])
  })
})

describe('the plan for the hosts', () => {
  const asked = { instance: HOST.name, reservedMemoryMb: 512 } as const
  const MAX = ofTable('max')

  test('counts that do not fit are refused with those that do, and with the hosts they need', () => {
    assert.throws(
      () => planHosts(ofTable('desired'), MAX, { ...asked, hosts: 1 }),
      (error: Error & { code: string; help: string }) => {
        assert.equal(error.code, 'HOSTS_TOO_FEW')
        assert.match(error.message, /1 × t3\.xlarge do not hold 3\/5\/10 .* They hold 1\/1\/1/)
        assert.match(error.help, /-c hosts=5/)
        return true
      },
    )
  })

  test('without a number of hosts, there are as many as the counts and the most need', () => {
    const { hosts, maxHosts, max } = planHosts(ofTable('desired'), MAX, asked)
    assert.deepEqual({ hosts, maxHosts, max }, { hosts: 5, maxHosts: 20, max: MAX })
  })

  test('on hosts that do not grow, scaling ends where they are full', () => {
    const one = { webhook: 1, api: 1, worker: 1 }
    assert.deepEqual(planHosts(one, MAX, { ...asked, hosts: 1 }).max, one)
    const { max, maxHosts } = planHosts(ofTable('desired'), MAX, { ...asked, hosts: 8 })
    assert.equal(fits(max, maxHosts, T3_XLARGE), true)
  })

  test('a most that does not fit the most hosts is refused', () => {
    assert.throws(() => planHosts(ofTable('min'), MAX, { ...asked, maxHosts: 4, max: MAX }), {
      code: 'HOSTS_TOO_FEW',
    })
  })

  test('memory that is reserved is not given to tasks', () => {
    const one = { webhook: 1, api: 1, worker: 1 }
    assert.throws(() => planHosts(one, MAX, { ...asked, hosts: 1, reservedMemoryMb: 12_000 }), {
      code: 'HOSTS_TOO_FEW',
    })
  })
})

/** Puts tasks on hosts, each on one that `choices` picks of those with room for both; whether all found one. */
function place(
  asked: Counts,
  surging: ComponentType,
  hosts: number,
  of: { cpuUnits: number; memoryMb: number },
  choices: Iterator<number>,
): boolean {
  const free = Array.from({ length: hosts }, () => ({ ...of }))
  const next = () => choices.next().value as number
  const waiting = TYPES.flatMap((type) => Array<ComponentType>(asked[type]).fill(type))
  const tasks = [...waiting.sort(() => (next() % 3) - 1), surging]
  return tasks.every((type) => {
    const { cpuUnits, memoryMb } = COMPONENTS[type].task
    const open = free.filter((host) => host.cpuUnits >= cpuUnits && host.memoryMb >= memoryMb)
    const host = open[next() % open.length]
    if (!host) return false
    host.cpuUnits -= cpuUnits
    host.memoryMb -= memoryMb
    return true
  })
}
