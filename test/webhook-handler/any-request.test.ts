import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDatabase } from '../support/database.ts'
import { pullRequestEvent } from './pull-request-event.ts'
import { type Answered, gitHeaders, githubHeaders, post, startHandler } from './start-handler.ts'

const RUNS = 300

/** Nobody signs these; the answer must be a documented one all the same. */
const DOCUMENTED = [202, 400, 401]

/** Values that field checks are apt to forget. */
const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary', maxLength: 3_000 }),
  fc.constantFrom(
    '',
    '\0',
    '\ud800',
    '-x',
    '__proto__',
    1e308,
    '0000-01-01T00:00:00Z',
    '2026-02-31T00:00:00Z',
  ),
)

const gitWebhook = fc.record(
  {
    repository: fc.oneof(fc.webUrl(), fc.constant('/srv/shop.git'), anyValue),
    base: fc.oneof(fc.constant('main'), anyValue),
    head: fc.oneof(fc.constant('topic'), anyValue),
    title: anyValue,
    description: anyValue,
    branch: anyValue,
    ['__proto__']: anyValue,
  },
  { requiredKeys: [] },
)

/** A good event in which any one value, however deep, is replaced or gone. */
const githubEvent = fc
  .tuple(fc.nat(), fc.constantFrom('opened', 'closed', 'labeled'), fc.option(anyValue, { nil: undefined }))
  .map(([which, action, value]) => {
    const event = JSON.parse(pullRequestEvent({ action }))
    const places = placesIn(event)
    const place = places[which % places.length]
    if (place) place.holder[place.key] = value
    return event
  })

const anyBody = fc.oneof(
  gitWebhook.map((value) => Buffer.from(JSON.stringify(value))),
  githubEvent.map((value) => Buffer.from(JSON.stringify(value))),
  fc.json().map((json) => Buffer.from(json)),
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
)

/** What a header may hold at all: visible ASCII and Latin-1. */
const headerValue = fc.stringMatching(/^[!-~\u00a1-\u00ff]([ -~\u00a1-\u00ff]*[!-~\u00a1-\u00ff])?$/)
const anyHeaders = fc.dictionary(
  fc.constantFrom(
    'x-kodus-delivery',
    'x-kodus-signature-256',
    'x-github-delivery',
    'x-github-event',
    'x-hub-signature-256',
    'content-type',
  ),
  fc.oneof(headerValue, fc.constant('application/x-www-form-urlencoded')),
)

test('whatever is posted, signed or not, the answer is a documented one', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const seen = new Set<number>()

  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('git', 'github'),
      anyBody,
      fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: anyHeaders }),
      async (forge, body, headers) => {
        const signed = forge === 'git' ? gitHeaders(body) : githubHeaders(body)
        const answered = await post(`${handler.url}/webhooks/${forge}`, body, { ...signed, ...headers })
        seen.add(answered.status)
        assertDocumented(answered)
      },
    ),
    { numRuns: RUNS },
  )

  assert.deepEqual([...seen].sort(), DOCUMENTED)
  assert.deepEqual(
    handler.lines.filter(({ level }) => level === 'error'),
    [],
  )
  const { rows } = await pool.query('select count(*)::int as jobs from workflow_jobs')
  assert.ok(rows[0].jobs > 0)
})

function assertDocumented({ status, body, headers }: Answered) {
  assert.ok(DOCUMENTED.includes(status), `${status}: ${JSON.stringify(body)}`)
  if (status === 202) {
    assert.ok(body.jobId ?? body.updated ?? body.ignored, JSON.stringify(body))
    return
  }
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.match(body.code, /^[A-Z_]+$/)
  assert.ok(body.detail && body.help)
}

// biome-ignore lint/suspicious/noExplicitAny: any JSON.
type Json = any

function placesIn(holder: Json): { holder: Json; key: string }[] {
  return Object.entries(holder).flatMap(([key, value]) => [
    { holder, key },
    ...(typeof value === 'object' && value !== null ? placesIn(value) : []),
  ])
}
