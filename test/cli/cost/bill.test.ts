import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bill, billFor, fargateLines, PLATFORMS } from '../../../src/cli/cost/bill.ts'
import type { Installation } from '../../../src/cli/cost/installation.ts'
import { hourly, totalOf } from '../../../src/cli/cost/line.ts'
import { PRICES, type Price } from '../../../src/cli/cost/prices.ts'
import { connectionsOf, DATABASES, databaseFor, databaseOf } from '../../../src/cli/cost/store-sizes.ts'
import { COUNTED_USES, countedUse } from '../../../src/cli/cost/use.ts'

const PRODUCTION: Installation = { environment: 'production', queue: 'rabbitmq', utilisation: 0.3 }
const cents = (value: number) => value.toFixed(2)

test('Fargate costs what has been worked out by hand from its prices', () => {
  const month = (name: (typeof COUNTED_USES)[number], kind: 'x86' | 'arm') =>
    cents(totalOf(fargateLines(countedUse(name).tasks, kind)))
  assert.equal(month('min', 'x86'), '252.28')
  assert.equal(month('desired', 'x86'), '477.53')
  assert.equal(month('max', 'x86'), '2252.51')
  assert.equal(month('desired', 'arm'), '382.06')
  const each = fargateLines(countedUse('desired').tasks, 'x86').map(({ dollars }) => cents(dollars))
  assert.deepEqual(each, ['27.03', '90.10', '360.40'])
})

test("a t3.xlarge costs what it is listed at, all month: PM2's whole machine", () => {
  assert.equal(cents(hourly('', 1, 't3Xlarge').dollars), '121.47')
  assert.equal(cents(billFor('pm2', countedUse('max'), PRODUCTION).computeDollars), '121.47')
})

test('a bill is the sum of its lines, and each line has a price', () => {
  for (const bill of allBills()) {
    const lines = [...bill.compute, ...bill.hidden]
    assert.ok(Math.abs(totalOf(lines) - bill.totalDollars) < 1e-9)
    for (const line of lines) {
      assert.ok(line.prices.length > 0 && line.dollars >= 0 && line.quantity >= 0, line.what)
    }
  }
})

test('what the documents leave out is on every bill of ECS', () => {
  for (const platform of PLATFORMS.filter((name) => name !== 'pm2')) {
    const names = billFor(platform, countedUse('desired'), PRODUCTION).hidden.flatMap(({ prices }) => prices)
    const wanted = [
      'loadBalancer',
      'lcu',
      'natHour',
      'natGb',
      'address',
      'logIngest',
      'logStorage',
      'alarm',
    ] as const
    for (const name of [...wanted, 'metric', 'secret', 'ecr', 'rdsStorage', 'mqM7gLarge'] as const) {
      assert.ok(names.includes(name), `${platform}: ${name}`)
    }
    assert.equal(names.includes('gp3'), platform === 'ecs-ec2', 'only hosts have disks that are billed')
  }
})

test('every price has a source and a date, and is used', () => {
  const onBills = allBills().flatMap(({ compute, hidden }) =>
    [...compute, ...hidden].flatMap((line) => line.prices),
  )
  const used = new Set([...onBills, ...DATABASES.map(({ price }) => price)])
  for (const [name, price] of Object.entries<Price>(PRICES)) {
    assert.ok(price.value > 0 && price.unit && price.source && price.region, name)
    assert.match(price.date, /^\d{4}-\d\d$/)
    assert.ok(used.has(name as keyof typeof PRICES), `${name} is used nowhere`)
  }
})

test('the least counts never run on Spot, and what is beyond them costs three tenths at best', () => {
  const dollars = (platform: Bill['platform'], name: 'min' | 'desired') =>
    billFor(platform, countedUse(name), PRODUCTION).computeDollars
  assert.equal(cents(dollars('fargate-spot', 'min')), cents(dollars('fargate-x86', 'min')))
  const beyond = dollars('fargate-x86', 'desired') - dollars('fargate-x86', 'min')
  const expected = dollars('fargate-x86', 'min') + 0.3 * beyond
  assert.equal(cents(dollars('fargate-spot', 'desired')), cents(expected))
})

test('staging has each store once; without a broker there is none to pay', () => {
  const total = (changed: Partial<Installation>) =>
    billFor('fargate-arm', countedUse('min'), { ...PRODUCTION, ...changed }).totalDollars
  assert.ok(total({ environment: 'staging' }) < total({}))
  assert.equal(cents(total({}) - total({ queue: 'postgres' })), cents(3 * 0.2734 * 730))
})

test('the database is large enough for all connections of an update at those counts', () => {
  assert.equal(connectionsOf({ webhook: 1, api: 1, worker: 10 }), 7 + 10 + 80 + 80)
  const names = COUNTED_USES.map((name) => databaseFor(countedUse(name).tasks).name)
  assert.deepEqual(names, ['db.t4g.small', 'db.t4g.medium', 'db.t4g.xlarge'])
  // What is billed is what there is, however few the tasks.
  assert.deepEqual(
    (['staging', 'production'] as const).map((environment) => databaseOf(environment).name),
    ['db.t4g.medium', 'db.t4g.xlarge'],
  )
})

function allBills(): Bill[] {
  return [PRODUCTION, { ...PRODUCTION, environment: 'staging' as const }].flatMap((installation) =>
    COUNTED_USES.flatMap((name) =>
      PLATFORMS.map((platform) => billFor(platform, countedUse(name), installation)),
    ),
  )
}
