import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { postGithub, startHandler } from './start-handler.ts'

interface Examples {
  name: string
  examples: { action?: string }[]
}

const EXAMPLES: Examples[] = createRequire(import.meta.url)('@octokit/webhooks-examples')

/** All of GitHub's examples that ask for a review; the rest only tell of something. */
const BECOME_JOBS = {
  'pull_request.opened': 4,
  'pull_request.ready_for_review': 3,
  'pull_request.reopened': 2,
  'pull_request.synchronize': 1,
}
const BECOME_UPDATES = { 'pull_request.closed': 2, 'pull_request.converted_to_draft': 3 }

test("all 329 of GitHub's example payloads are accepted, and 10 of them become jobs", async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const outcomes: Record<string, Record<string, number>> = { jobId: {}, updated: {}, ignored: {} }
  let sent = 0

  for (const { name: event, examples } of EXAMPLES) {
    for (const example of examples) {
      sent += 1
      const id = `example-${sent}`
      const { status, body } = await postGithub(handler, JSON.stringify(example), { id, event })
      assert.equal(status, 202, `${event}.${example.action}: ${JSON.stringify(body)}`)
      const [kind = ''] = Object.keys(body)
      const tally = outcomes[kind] ?? assert.fail(`${event} was answered ${JSON.stringify(body)}`)
      const name = example.action ? `${event}.${example.action}` : event
      tally[name] = (tally[name] ?? 0) + 1
    }
  }

  assert.equal(sent, 329)
  assert.deepEqual(outcomes.jobId, BECOME_JOBS)
  assert.deepEqual(outcomes.updated, BECOME_UPDATES)
  const ignored = Object.values(outcomes.ignored ?? {}).reduce((sum, n) => sum + n, 0)
  assert.equal(ignored, 329 - 10 - 5)
  const { rows } = await pool.query('select count(*)::int as jobs from workflow_jobs')
  assert.deepEqual(rows, [{ jobs: 10 }])
})
