import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGitHubDeliveryLog } from '../../src/forges/github/deliveries.ts'
import { silentLog } from '../../src/lib/log.ts'
import { claimTurn } from '../../src/store/claim-turn.ts'
import { listRedeliveries } from '../../src/store/list-redeliveries.ts'
import { watchDeliveries } from '../../src/worker/watch-deliveries.ts'
import { createClient } from '../forges/github/posting.ts'
import { githubDescription } from '../github/description.ts'
import { startGitHub } from '../github/server.ts'
import { createDatabase } from '../support/database.ts'

const skip = await githubDescription()

test('a worker sweeps by itself, one of them has the turn, and stopping waits for what is under way', {
  skip,
}, async (t) => {
  const { pool } = await createDatabase(t)
  const github = await startGitHub(t)
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  shop.openPullRequest({ head: 'feature' })
  await github.webhooks.settled()
  const [{ guid = '' } = {}] = github.webhooks.deliveries

  const held = github.fail({ method: 'POST', path: /attempts$/, with: { hold: 'after' } })
  const asked = held.next()
  const workers = [1, 2].map(() => {
    const log = createGitHubDeliveryLog({ client: createClient(github), repositories: [] })
    return watchDeliveries('github', log, { db: pool, log: silentLog })
  })
  await asked
  assert.equal(await claimTurn(pool, 'sweep deliveries of github', 300), false)
  held.release()
  let known = await listRedeliveries(pool, 10)
  while (known[0]?.outcome !== 'requested') known = await listRedeliveries(pool, 10)
  await Promise.all(workers.map((worker) => worker.stop()))
  await github.webhooks.settled()

  assert.deepEqual(
    known.map(({ deliveryId, outcome, requests }) => ({ deliveryId, outcome, requests })),
    [{ deliveryId: guid, outcome: 'requested', requests: 1 }],
  )
  assert.equal(held.happened(), 1)
  const lists = github.requests.filter(({ path }) => path.startsWith('/app/hook/deliveries?'))
  assert.equal(lists.length, 1, 'the other worker did not ask')
})

test('of those who claim a turn at the same moment one has it, until it is over', async (t) => {
  const { pool } = await createDatabase(t)
  const claims = () => Promise.all([1, 2, 3, 4].map(() => claimTurn(pool, 'a turn', 300)))
  assert.equal((await claims()).filter(Boolean).length, 1)
  assert.equal((await claims()).filter(Boolean).length, 0)
  await pool.query(`update turns set taken_at = taken_at - interval '300 seconds'`)
  assert.equal((await claims()).filter(Boolean).length, 1)
  assert.equal(await claimTurn(pool, 'another', 300), true)
})
