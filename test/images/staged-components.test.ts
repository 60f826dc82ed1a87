import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import { RULES } from '../../src/review/rules/index.ts'
import type { Language } from '../../src/review/rules/rule.ts'
import { createApiKey } from '../../src/store/create-api-key.ts'
import { createDatabase } from '../support/database.ts'
import { gitWebhook } from '../support/git-webhook.ts'
import { run } from '../support/kodus.ts'
import { type Component, spawnComponent } from '../support/processes.ts'
import { createVhost, skipWithoutRabbitmq } from '../support/rabbitmq.ts'
import { makeRepository } from '../support/repository.ts'
import { makeScratch, stage } from './staging.ts'

const SECRET = 'a secret of this test'
const LIMIT_MS = 60_000

const scratch = makeScratch()
const ALL = Object.keys(COMPONENTS) as ComponentType[]
before(() => stage(scratch, ALL))

for (const technology of ['postgres', 'rabbitmq'] as const) {
  const skip = technology === 'rabbitmq' && skipWithoutRabbitmq
  const title = `what is staged runs by itself: a webhook is taken, reviewed and shown (${technology})`
  test(title, { skip }, async (t) => {
    const queue = technology === 'rabbitmq' ? { RABBITMQ_URL: await createVhost() } : undefined
    const stack = await startStaged(t, ALL, queue)
    const repository = makeRepository(t, {
      base: { 'README.md': '# Shop\n', 'kodus-config.yml': CONFIG },
      head: Object.fromEntries(MISTAKES.map(({ file, text }) => [file, text])),
    })
    const jobId = await stack.send({
      repository: repository.path,
      base: repository.base,
      head: repository.head,
      title: 'A mistake in each language',
      branch: 'topic',
    })
    const { status, review } = await stack.finished(jobId)
    assert.equal(status, 'COMPLETED')
    const found = new Set(review?.findings.map(({ path, rule }) => `${path} ${rule}`))
    assert.deepEqual(
      MISTAKES.filter(({ file, rule }) => !found.has(`${file} ${rule}`)),
      [],
      `found: ${[...found].join(', ')}`,
    )
  })
}

test('the page that describes the API is served, with all that it loads', async (t) => {
  const { api } = await startStaged(t, ['api'])
  const page = await fetch(`${api}/docs`)
  assert.equal(page.status, 200)
  const html = await page.text()
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
  assert.ok(links.length >= 5, html)
  for (const link of links) {
    const answer = await fetch(new URL(link, `${api}/docs`))
    assert.deepEqual([link, answer.status, (await answer.text()).length > 0], [link, 200, true])
  }
  const { paths } = (await (await fetch(`${api}/openapi.json`)).json()) as { paths: object }
  assert.ok('/jobs/{id}' in paths)
})

test('its health check says what a component says, and how it failed when it is gone', async (t) => {
  const { components, env } = await startStaged(t, ['webhook', 'api'])
  for (const [type, variable] of [
    ['webhook', 'WEBHOOK_PORT'],
    ['api', 'API_PORT'],
  ] as const) {
    const script = path.join(appOf(type), 'health.mjs')
    const check = () => run(process.execPath, [script, 'http', variable], { env })
    assert.deepEqual(await check(), { code: 0, stdout: '/health answered 200\n', stderr: '' })
    await components[type]?.stop()
    const gone = await check()
    assert.equal(gone.code, 1)
    assert.match(gone.stdout, /^.*ECONNREFUSED.*\n$/)
  }
})

const CONFIG = `customRules:
  - id: use-the-clock
    language: typescript
    what: The time is read past the clock port.
    rule: { pattern: Date.now() }
`

/** A file with a mistake in each language, as the rules' own examples have it; and one for the rule of CONFIG. */
const MISTAKES = [
  ...Object.entries({
    typescript: 'a.ts',
    tsx: 'b.tsx',
    javascript: 'c.js',
    python: 'd.py',
    go: 'e.go',
    java: 'F.java',
  } satisfies Record<Language, string>).map(([language, file]) => {
    const rule = RULES.find((each) => each.languages.includes(language as Language) && !each.fileHas)
    const text = rule?.examples.bad[0]
    assert.ok(rule && text)
    return { file: `src/${file}`, text, rule: rule.id }
  }),
  { file: 'src/g.ts', text: 'export const now = () => Date.now()\n', rule: 'custom/use-the-clock' },
]

function appOf(type: ComponentType): string {
  return path.join(scratch, COMPONENTS[type].name, 'app')
}

interface JobAnswer {
  status: string
  review: { findings: { path: string; rule: string }[] } | null
}

/** Starts components from where they were staged, with a database and nothing else. */
async function startStaged(t: TestContext, types: readonly ComponentType[], more?: Record<string, string>) {
  const { url, pool: db } = await createDatabase(t)
  const [webhookPort, apiPort] = [await freePort(), await freePort()]
  const env = {
    DATABASE_URL: url,
    WEBHOOK_PORT: String(webhookPort),
    WEBHOOK_DRAIN_SECONDS: '0',
    API_PORT: String(apiPort),
    GIT_WEBHOOK_SECRET: SECRET,
    GIT_REPOSITORY_ROOTS: realpathSync(tmpdir()),
    // Nobody is there: that what pushes is loaded is enough.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    ...more,
  }
  const started = await Promise.all(
    types.map(async (type): Promise<[ComponentType, Component]> => {
      const script = path.join(appOf(type), 'main.js')
      return [type, await spawnComponent(t, { type, script, env })]
    }),
  )
  const api = `http://127.0.0.1:${apiPort}`
  const { key } = await createApiKey(db, { name: 'test', scopes: ['read'] })
  return {
    api,
    env,
    components: Object.fromEntries(started) as Partial<Record<ComponentType, Component>>,
    async send(request: object): Promise<string> {
      const url = `http://127.0.0.1:${webhookPort}/webhooks/git`
      const response = await fetch(url, { method: 'POST', ...gitWebhook(request, SECRET) })
      assert.equal(response.status, 202)
      return ((await response.json()) as { jobId: string }).jobId
    },
    async finished(jobId: string): Promise<JobAnswer> {
      const deadline = performance.now() + LIMIT_MS
      for (;;) {
        const answer = await fetch(`${api}/jobs/${jobId}`, { headers: { authorization: `Bearer ${key}` } })
        const job = (await answer.json()) as JobAnswer
        if (['COMPLETED', 'FAILED'].includes(job.status)) return job
        if (performance.now() > deadline) throw new Error(`still ${JSON.stringify(job)}`)
        await sleep(50)
      }
    },
  }
}
