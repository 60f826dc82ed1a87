import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { githubDescription } from '../github/description.ts'
import { startGitHub } from '../github/server.ts'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'
import { startHandler } from '../webhook-handler/start-handler.ts'
import { aDirectory } from './start-setup.ts'

const skip = await githubDescription()

/** An installation that was told of a pull request and a command, and of what asks for nothing. */
async function startHeard(t: TestContext) {
  const { url, pool } = await createDatabase(t)
  const github = await startGitHub(t)
  const handler = await startHandler(t, {
    DATABASE_URL: url,
    GITHUB_WEBHOOK_SECRET: github.app.webhookSecret,
  })
  const hear = () => github.webhooks.deliverTo(`${handler.url}/webhooks/github`)
  hear()
  const shop = github.createRepository('octo/shop', { files: { 'a.ts': 'let a = 1\n' } })
  shop.commit('feature', { 'a.ts': 'let a = 2\n' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })
  pull.comment('mona', '@kody review')
  pull.comment('mona', 'Who is on call?')
  await github.webhooks.settled()
  const [opened, command, talk] = github.webhooks.deliveries.map(({ guid }) => guid)
  const env = {
    DATABASE_URL: url,
    KODUS_DIRECTORY: aDirectory(t),
    GITHUB_API_URL: github.apiUrl,
    GITHUB_APP_ID: String(github.app.id),
    GITHUB_APP_PRIVATE_KEY: github.app.privateKey,
  }
  const sweep = async (...args: string[]) => {
    const ran = await kodus(['deliveries', 'sweep', ...args], env)
    await github.webhooks.settled()
    return ran
  }
  const sent = (guid: string | undefined) =>
    github.webhooks.deliveries.filter((delivery) => delivery.guid === guid).length
  /** As a standby that had not heard of it yet when it was promoted. */
  const lose = async (guid: string | undefined) => {
    await pool.query('delete from workflow_jobs where delivery_id = $1', [guid])
    await pool.query('delete from deliveries where delivery_id = $1', [guid])
  }
  const jobs = async () =>
    (await pool.query('select delivery_id from workflow_jobs order by type')).rows.map(
      ({ delivery_id }) => delivery_id,
    )
  return { github, pool, hear, sweep, sent, lose, jobs, pull, guids: { opened, command, talk } }
}

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()

test('what a failover lost is asked for again although GitHub has it as delivered, and nothing that we have', {
  skip,
}, async (t) => {
  const { pool, sweep, sent, lose, jobs, guids } = await startHeard(t)
  assert.deepEqual(await jobs(), [guids.opened, guids.command])
  const since = minutesAgo(10)
  await lose(guids.command)
  assert.match((await sweep()).stdout, /^0 new failures, 0 asked for now/, 'GitHub knows of no failure')

  const dry = await sweep('--all', '--since', since, '--dry-run')
  assert.equal(dry.code, 0, dry.stderr)
  assert.match(dry.stdout, new RegExp(`${guids.command}  issue_comment  delivered: 202  found\n`))
  assert.match(dry.stdout, /dry run: 0 new failures, 2 delivered and not known here, 2 to ask for now; /)
  assert.deepEqual((await pool.query('select from redeliveries')).rowCount, 0)
  assert.deepEqual([sent(guids.command), await jobs()], [1, [guids.opened]])

  const swept = await sweep('--all', '--since', since)
  assert.equal(swept.code, 0, swept.stderr)
  assert.match(
    swept.stdout,
    new RegExp(`${guids.command}  issue_comment  delivered: 202  requested  asked for 1×\n`),
  )
  assert.match(
    swept.stdout,
    /\n0 new failures, 2 delivered and not known here, 2 asked for now; 2 requested and not confirmed yet, 0 not arrived\n$/,
  )
  assert.deepEqual(await jobs(), [guids.opened, guids.command])
  assert.equal(sent(guids.opened), 1, 'it was here all the time')

  const again = await sweep('--all', '--since', since)
  assert.match(again.stdout, new RegExp(`${guids.command} .* recovered  asked for 1×\n`))
  assert.match(
    again.stdout,
    /\n0 new failures, 0 delivered and not known here, 1 recovered, 0 asked for now; /,
  )
  assert.equal(sent(guids.talk), 2, 'what leaves no trace is asked for once')
})

test('what a second failover lost is asked for again, and so is what it lost of the first sweep', {
  skip,
}, async (t) => {
  const { pool, sweep, sent, lose, jobs, guids } = await startHeard(t)
  await lose(guids.command)
  await sweep('--all', '--since', minutesAgo(10))
  assert.equal(sent(guids.command), 2)
  await pool.query(`update redeliveries set requested_at = requested_at - interval '10 minutes'`)

  await lose(guids.command)
  assert.match((await sweep('--all', '--since', minutesAgo(5))).stdout, / 2 delivered and not known here, 2 /)
  assert.deepEqual([sent(guids.command), await jobs()], [3, [guids.opened, guids.command]])
})

test('what GitHub has as failed is asked for too', { skip }, async (t) => {
  const { github, hear, sweep, sent, pull } = await startHeard(t)
  github.webhooks.deliverTo('http://127.0.0.1:9/webhooks/github')
  pull.comment('mona', '@kody help')
  await github.webhooks.settled()
  const failed = github.webhooks.deliveries.at(-1)?.guid
  hear()
  const { stdout } = await sweep('--all', '--since', minutesAgo(10))
  assert.match(stdout, new RegExp(`${failed}  issue_comment  failed: 502  requested  asked for 1×\n`))
  assert.match(stdout, /\n1 new failure, 1 delivered and not known here, 2 asked for now; /)
  assert.equal(sent(failed), 2)
})

test('GitHub takes so many at once: the others are said to wait, and are asked for by the next sweep', {
  skip,
}, async (t) => {
  const { pool, sweep } = await startHeard(t)
  await pool.query(
    `insert into redeliveries (forge, delivery_id, attempt_id, source, event, failed_at, failure)
     select 'github', 'd-' || n, n, 'app', 'pull_request', now(), '202' from generate_series(1, 151) n`,
  )
  assert.match((await sweep()).stdout, / 150 asked for now; .* 1 not arrived\nGitHub takes no more at once\./)
  assert.match((await sweep()).stdout, / 1 asked for now; .* 0 not arrived\n$/)
})

test('a time that GitHub has forgotten is refused before anything is asked, and so is half a command', {
  skip,
}, async (t) => {
  const { github, sweep } = await startHeard(t)
  const before = github.requests.length
  const old = await sweep('--all', '--since', minutesAgo(3 * 24 * 60 + 1))
  assert.equal(old.code, 2)
  assert.match(old.stderr, /^DELIVERIES_TOO_OLD: .* three days/)
  assert.match((await sweep('--all')).stderr, /--all and --since go together/)
  assert.match((await sweep('--since', minutesAgo(5))).stderr, /--all and --since go together/)
  for (const time of ['yesterday', '2026-01-31', '2026-01-31T12:00:00', minutesAgo(-5)]) {
    const { code, stderr } = await sweep('--all', '--since', time)
    assert.deepEqual([code, /A time is in the past/.test(stderr)], [2, true], time)
  }
  assert.equal(github.requests.length, before)

  // As psql prints it.
  const printed = minutesAgo(5).replace('T', ' ').replace('Z', '+00')
  assert.match(
    (await sweep('--all', '--since', printed, '--dry-run')).stdout,
    / 1 delivered and not known here/,
  )
})
