import assert from 'node:assert/strict'
import { test } from 'node:test'
import { billFor, fargateLines } from '../../../src/cli/cost/bill.ts'
import { breakEven, hostsDollars, mixWith } from '../../../src/cli/cost/break-even.ts'
import { documentsBesideOurs } from '../../../src/cli/cost/documents.ts'
import { hostsFor, surplusVcpus } from '../../../src/cli/cost/hosts.ts'
import { totalOf } from '../../../src/cli/cost/line.ts'
import { ranges } from '../../../src/cli/cost/report.ts'
import { COUNTED_USES, countedUse } from '../../../src/cli/cost/use.ts'

test('machines are billed as the CDK has them: with room for an update', () => {
  assert.deepEqual(
    COUNTED_USES.map((name) => countedUse(name).hosts),
    [3, 5, 20],
  )
  assert.equal(hostsFor({ webhook: 1, api: 1, worker: 1 }), 1)
})

test('T3 bills what is used above its baseline, and nothing below', () => {
  const { tasks, hosts } = countedUse('desired')
  assert.equal(surplusVcpus(tasks, hosts, 0.4), 0)
  assert.ok(Math.abs(surplusVcpus(tasks, hosts, 0.7) - (13.25 * 0.7 - 20 * 0.4)) < 1e-9)
  const dollars = (utilisation: number) =>
    billFor('ecs-ec2', countedUse('desired'), {
      environment: 'production',
      queue: 'postgres',
      utilisation,
    }).computeDollars
  assert.equal((dollars(0.7) - dollars(0.3)).toFixed(2), ((13.25 * 0.7 - 8) * 0.05 * 730).toFixed(2))
})

test('the break-even is where both cost the same, and every number of workers is on its right side', () => {
  const { reservedShare, ec2CheaperAtWorkers } = breakEven('x86', 0.3)
  const full = totalOf(fargateLines({ webhook: 0, api: 0, worker: 4 }, 'x86'))
  const host = hostsDollars({ webhook: 0, api: 0, worker: 3 }, 0.3)
  assert.ok(Math.abs(reservedShare * full - host) < 1e-9)
  for (let workers = 5; workers <= 50; workers += 1) {
    const tasks = mixWith(workers)
    const cheaper = hostsDollars(tasks, 0.3) < totalOf(fargateLines(tasks, 'x86'))
    assert.equal(ec2CheaperAtWorkers.includes(workers), cheaper, `${workers} workers`)
  }
})

test('beyond the baseline, surplus moves the break-even', () => {
  const share = breakEven('x86', 0.6).reservedShare
  const full = totalOf(fargateLines({ webhook: 0, api: 0, worker: 4 }, 'x86'))
  const surplus = Math.max(0, 4 * 0.6 * share - 4 * 0.4) * 0.05 * 730
  assert.ok(Math.abs(share * full - (hostsDollars({ webhook: 0, api: 0, worker: 3 }, 0.1) + surplus)) < 1e-6)
  assert.ok(share > breakEven('x86', 0.3).reservedShare)
  assert.deepEqual(breakEven('arm', 0.3).ec2CheaperAtWorkers, [])
})

test("the documents' figures stand beside ours", () => {
  const rows = documentsBesideOurs().map(({ said, ours }) => [said, ours.toFixed(2)])
  assert.deepEqual(rows, [
    [150, '121.47'],
    [150, '607.36'],
    [15, '27.03'],
    [50, '90.10'],
    [200, '360.40'],
    [265, '477.53'],
  ])
})

test('numbers in a row are said as ranges', () => {
  assert.equal(ranges([5, 6, 8, 11, 12, 13]), '5 to 6, 8, 11 to 13')
  assert.equal(ranges([]), '')
})
