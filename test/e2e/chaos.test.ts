import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { type ChaosOptions, readOptions } from '../../chaos/options.ts'
import { PROMISES } from '../../chaos/oracle.ts'
import { runChaos } from '../../chaos/run.ts'
import { SABOTAGES } from '../../chaos/sabotage.ts'
import { githubDescription } from '../github/server.ts'
import { skipWithoutRabbitmq } from '../support/rabbitmq.ts'

// The short runs: the same as `npm run chaos -- --webhooks 160`, and once without a broker.

const description = await githubDescription()
const timeout = 280_000

test(
  'every promise is kept while everything around the product fails',
  {
    skip: description || skipWithoutRabbitmq,
    timeout,
  },
  async (t) => keeps(t, readOptions(['--webhooks', '160', '--seed', '38'])),
)

test('every promise is kept without a broker, too', { skip: description, timeout }, async (t) =>
  keeps(t, readOptions(['--webhooks', '80', '--seed', '8', '--faults', '5', '--queue', 'postgres'])),
)

test('every sabotage that proves the oracle still finds what it breaks', () => {
  const edits = SABOTAGES.flatMap(({ name, edits }) => edits.map((edit) => ({ name, ...edit })))
  for (const { name, file, from } of edits) {
    assert.ok(
      readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').includes(from),
      `${name}: ${file}`,
    )
  }
})

async function keeps(t: TestContext, options: ChaosOptions): Promise<void> {
  const { verdict, figures, struck } = await runChaos(options, (line) => t.diagnostic(line), t.signal)
  t.diagnostic(JSON.stringify({ ...figures, struck: [...struck.keys()] }))
  assert.deepEqual(verdict, Object.fromEntries(Object.keys(PROMISES).map((promise) => [promise, []])))
  assert.equal(figures.faults, options.faults, 'all faults struck')
  assert.ok(figures.reviews >= options.webhooks / 10, `${figures.reviews} reviews were posted`)
}
