import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type pg from 'pg'
import { createGitHubDeliveryLog } from '../../src/forges/github/deliveries.ts'
import { sweepDeliveries } from '../../src/jobs/sweep-deliveries.ts'
import { createClient } from '../forges/github/posting.ts'
import { githubDescription } from '../github/description.ts'
import { type GitHub, startGitHub } from '../github/server.ts'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'
import { startHandler } from '../webhook-handler/start-handler.ts'
import { aDirectory } from './start-setup.ts'

const skip = await githubDescription()

/** An installation whose webhooks find nobody, and a pull request that was opened, and asked about. */
async function startUnheard(t: TestContext) {
  const { url, pool } = await createDatabase(t)
  const github = await startGitHub(t)
  github.webhooks.deliverTo('http://127.0.0.1:9/webhooks/github')
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  pull.comment('mona', '@kody review')
  await github.webhooks.settled()
  const env = { DATABASE_URL: url, KODUS_DIRECTORY: aDirectory(t), ...credentials(github) }
  const sweep = async (...args: string[]) => {
    const ran = await kodus(['deliveries', 'sweep', ...args], env)
    await github.webhooks.settled()
    return ran
  }
  const sweepAsWorker = async () => {
    const log = createGitHubDeliveryLog({ client: createClient(github), repositories: [] })
    const done = await sweepDeliveries({ db: pool, forge: 'github', log }, AbortSignal.timeout(60_000))
    await github.webhooks.settled()
    return done
  }
  return { github, pool, url, env, sweep, sweepAsWorker, pull }
}

function credentials(github: GitHub) {
  return {
    GITHUB_API_URL: github.apiUrl,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
  }
}

/** As if the last sweep had been this long ago. */
async function later(pool: pg.Pool, minutes: number): Promise<void> {
  await pool.query(`update redeliveries set requested_at = requested_at - $1 * interval '1 minute'`, [
    minutes,
  ])
}

test('what came while the webhook handler was down is swept, and arrives when it is up again, once', {
  skip,
}, async (t) => {
  const { github, pool, url, env, sweep, sweepAsWorker } = await startUnheard(t)
  const guids = github.webhooks.deliveries.map(({ guid }) => guid)
  assert.equal(guids.length, 2)

  const whileDown = await sweep()
  assert.equal(whileDown.code, 0, whileDown.stderr)
  assert.match(
    whileDown.stdout,
    /2 new failures, 2 asked for now; 2 requested and not confirmed yet, 0 not arrived\n$/,
  )
  for (const guid of guids)
    assert.match(whileDown.stdout, new RegExp(`${guid}  \\w+  failed: 502  requested  asked for 1×\n`))
  assert.equal(github.webhooks.deliveries.length, 4, 'GitHub has tried them again')

  const worker = await sweepAsWorker()
  assert.deepEqual([worker.found, worker.asked.length, worker.open, worker.requested], [2, 0, 2, 0])
  await later(pool, 6)
  assert.equal((await sweepAsWorker()).asked.length, 2)
  await later(pool, 6)
  assert.equal((await sweepAsWorker()).asked.length, 0, 'the pause has grown')

  const handler = await startHandler(t, {
    DATABASE_URL: url,
    GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
  })
  github.webhooks.deliverTo(`${handler.url}/webhooks/github`)
  assert.match((await sweep()).stdout, /0 new failures, 2 asked for now/, 'a person does not wait')
  assert.deepEqual(
    github.webhooks.deliveries.slice(-2).map(({ statusCode, redelivery }) => ({ statusCode, redelivery })),
    [202, 202].map((statusCode) => ({ statusCode, redelivery: true })),
  )
  const jobs = async () =>
    (await pool.query('select delivery_id, type from workflow_jobs order by type desc')).rows
  assert.deepEqual(await jobs(), [
    { delivery_id: guids[1], type: 'command' },
    { delivery_id: guids[0], type: 'code-review' },
  ])

  const dry = await sweep('--dry-run')
  assert.match(
    dry.stdout,
    /dry run: 0 new failures, 2 recovered, 0 to ask for now; 0 requested and not confirmed yet, 0 not arrived\n$/,
  )
  const after = await sweep()
  for (const guid of guids) assert.match(after.stdout, new RegExp(`${guid} .* recovered  asked for 3×`))
  assert.match(
    after.stdout,
    /0 new failures, 2 recovered, 0 asked for now; 0 requested and not confirmed yet, 0 not arrived\n$/,
  )
  assert.match((await sweep()).stdout, /^0 new failures/, 'and no more is said of them')
  await github.webhooks.redeliver(guids[0] ?? '')
  assert.equal((await jobs()).length, 2)

  const listed = await kodus(['deliveries', 'list', '--limit', '1'], env)
  assert.match(listed.stdout, /^\S+ {2}\S+ {2}\w+ {2}failed: 502 {2}recovered {2}asked for 3×\n$/)
})

test('a delivery that arrived although GitHub saw no answer is not asked for', { skip }, async (t) => {
  const { github, pool, sweep } = await startUnheard(t)
  const [known, unknown] = github.webhooks.deliveries.map(({ guid }) => guid)
  await pool.query(
    `insert into deliveries (forge, delivery_id, digest, job_id) values ('github', $1, '\\x00', gen_random_uuid())`,
    [known],
  )
  const { stdout } = await sweep()
  assert.match(stdout, new RegExp(`${known}  pull_request  failed: 502  recovered\n`))
  assert.match(stdout, new RegExp(`${unknown}  issue_comment  failed: 502  requested  asked for 1×\n`))
  assert.match(stdout, /1 recovered, 1 asked for now; 1 requested and not confirmed yet, 0 not arrived\n$/)
})

test('a rate limit ends the sweep with what was done, and the next one goes on', { skip }, async (t) => {
  const { github, sweep, sweepAsWorker } = await startUnheard(t)
  const limit = { secondaryLimit: { retryAfter: 60 } }
  github.fail({ method: 'POST', path: /attempts$/, after: 1, with: limit })
  const limited = await sweep()
  assert.equal(limited.code, 2)
  assert.match(
    limited.stdout,
    /2 new failures, 1 asked for now; 1 requested and not confirmed yet, 1 not arrived\n$/,
  )
  assert.match(limited.stderr, /^GITHUB_RATE_LIMITED/)
  assert.equal((await sweepAsWorker()).asked.length, 1)
})

test('one that GitHub refuses to send is listed as refused, and the others are sent', { skip }, async (t) => {
  const { github, env, sweep } = await startUnheard(t)
  github.fail({ method: 'POST', path: /attempts$/, with: { status: 422, message: 'Too old' } })
  const { code, stdout } = await sweep()
  assert.equal(code, 0)
  assert.match(stdout, /failed: 502 {2}refused {2}asked for 1× {2}GITHUB_REFUSED: .*Too old/)
  assert.match(stdout, /failed: 502 {2}requested {2}asked for 1×\n/)
  assert.match((await kodus(['deliveries', 'list'], env)).stdout, /refused {2}asked for 1× {2}GITHUB_REFUSED/)
})

test('what GitHub keeps no longer is given up, and said to be', { skip }, async (t) => {
  const { github, pool, sweep } = await startUnheard(t)
  github.fail({ method: 'POST', path: /attempts$/, times: 2, with: { status: 503 } })
  assert.equal((await sweep()).code, 2)
  await pool.query(`update redeliveries set failed_at = now() - interval '73 hours'`)
  github.clock.advance(73 * 3600_000)
  assert.match((await sweep()).stdout, /given-up/)
})

test('without credentials, and where GitHub is polled, it says why there is nothing to sweep', async (t) => {
  const { url } = await createDatabase(t)
  const env = { DATABASE_URL: url, KODUS_DIRECTORY: aDirectory(t) }
  const none = await kodus(['deliveries', 'sweep'], env)
  assert.equal(none.code, 2)
  assert.match(none.stderr, /^GITHUB_NOT_CONNECTED/)
  const polled = { GITHUB_TOKEN: 'ghp_x', GITHUB_POLL_SECONDS: '60', GITHUB_REPOSITORIES: 'octo/shop' }
  assert.match((await kodus(['deliveries', 'sweep'], { ...env, ...polled })).stderr, /^GITHUB_POLLED/)
  assert.match((await kodus(['deliveries', 'list'], env)).stdout, /No delivery has failed/)
})
