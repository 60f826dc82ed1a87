import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { addCost } from '../../../src/cli/commands/cost.ts'

test('kodus cost prints all platforms, the documents, the break-even, and with --sources each price', async (t) => {
  const text = await output(t, '--sources', '--utilisation', '50')
  for (const words of [
    'PM2 on EC2',
    'ECS on EC2',
    'Fargate x86',
    'Fargate ARM',
    'Fargate Spot',
    'simulated: everything',
  ]) {
    assert.ok(text.includes(words), words)
  }
  assert.match(text, /tasks use 50 % of what they reserve/)
  assert.match(text, /"the same machine" +\$150 +\$607/)
  assert.match(text, /Fargate ARM: a t3\.xlarge is never the cheaper, not even full/)
  assert.match(text, /rdsT4gSmall +0\.032 +hour +us-east-1 +\d{4}-\d\d +unconfirmed/)
})

test('kodus cost --json has the figures of every bill', async (t) => {
  const { bills, uses, prices } = JSON.parse(
    await output(t, '--json', '--env', 'staging', '--queue', 'postgres'),
  )
  assert.equal(bills.length, 4 * 5)
  assert.deepEqual(
    uses.map(({ name }: { name: string }) => name),
    ['min', 'desired', 'max', 'simulated'],
  )
  assert.equal(prices.t3Xlarge.value, 0.1664)
  assert.ok(!JSON.stringify(bills).includes('Amazon MQ'))
})

test('a utilisation that is none is refused', async (t) => {
  t.mock.method(process.stderr, 'write', () => true)
  await assert.rejects(output(t, '--utilisation', '0'), /more than 0 and at most 100/)
})

async function output(t: import('node:test').TestContext, ...args: string[]): Promise<string> {
  const log = t.mock.method(console, 'log', () => {})
  const program = new Command('kodus').exitOverride()
  addCost(program)
  for (const command of program.commands) command.exitOverride()
  await program.parseAsync(['cost', ...args], { from: 'user' })
  return log.mock.calls.map((call) => call.arguments.join(' ')).join('\n')
}
