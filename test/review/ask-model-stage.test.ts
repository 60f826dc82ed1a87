import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createOpenAiCompatibleModel } from '../../src/models/openai-compatible.ts'
import { newDraft } from '../../src/review/draft.ts'
import { parseReviewConfig } from '../../src/review/review-config.ts'
import type { ReviewPorts } from '../../src/review/stage.ts'
import { askModel } from '../../src/review/stages/ask-model.ts'
import { answers, startLlmServer } from '../support/llm-server.ts'
import { markedChange, markedFile } from '../support/marked-change.ts'

/** The stage with a memory of its checkpoint, as several attempts of one run have it. */
async function attempts(t: TestContext) {
  const server = await startLlmServer(answers({ findings: [] }))
  t.after(() => server.close())
  const checkpoints = new Map<string, string>()
  const ports = {
    model: createOpenAiCompatibleModel({ baseUrl: server.baseUrl, model: 'fake' }),
    signal: new AbortController().signal,
    loadCheckpoint: async (stage: string, version: number) => {
      const kept = checkpoints.get(`${stage} ${version}`)
      return kept === undefined ? undefined : JSON.parse(kept)
    },
    saveCheckpoint: async (stage: string, version: number, result: unknown) => {
      checkpoints.set(`${stage} ${version}`, JSON.stringify(result))
    },
  } as Partial<ReviewPorts> as ReviewPorts
  const run = async (
    commits: { head?: string; mergeBase?: string } = {},
    { config = '', touched = [1] }: { config?: string; touched?: number[] } = {},
  ) => {
    const { file, path, text } = markedFile('a.ts', '+pay()')
    const draft = newDraft({} as Parameters<typeof newDraft>[0])
    draft.source = {
      change: markedChange([{ file, path, text }], commits),
      readFile: async () => text,
      changedSince: async () => undefined,
      close: async () => {},
    }
    draft.files = [{ path, text, touched: new Set(touched), file }]
    draft.config = parseReviewConfig(config).config
    await askModel.run(draft, ports)
    return draft
  }
  return { run, server }
}

test('a second attempt at the same commits uses the answer that was paid for', async (t) => {
  const { run, server } = await attempts(t)
  const first = await run()
  const second = await run()
  assert.equal(server.requests.length, 1)
  assert.deepEqual(second.model, first.model)
})

for (const moved of [{ head: 'c'.repeat(40) }, { mergeBase: 'd'.repeat(40) }]) {
  test(`an answer about another ${Object.keys(moved)[0]} is not used: the branch moved between the attempts`, async (t) => {
    const { run, server } = await attempts(t)
    await run()
    await run(moved)
    assert.equal(server.requests.length, 2)
    await run(moved)
    assert.equal(server.requests.length, 2, 'and the new answer is kept')
  })
}

for (const [what, rest] of [
  ['other instructions', { config: 'instructions: [Count in cents.]' }],
  ['another language', { config: 'language: pt-BR' }],
  ['other options', { config: 'reviewOptions: { bug: false }' }],
  ['other lines', { touched: [1, 2] }],
] as const) {
  test(`an answer to ${what} is not used: something else was asked`, async (t) => {
    const { run, server } = await attempts(t)
    await run()
    await run({}, { ...rest } as Parameters<typeof run>[1])
    assert.equal(server.requests.length, 2)
  })
}

test('a model that is asked for nothing costs nothing, and the review says why', async (t) => {
  const { run, server } = await attempts(t)
  const off = 'bug: false, performance: false, security: false, business_logic: false'
  const draft = await run({}, { config: `reviewOptions: { ${off} }` })
  assert.equal(server.requests.length, 0)
  assert.deepEqual(draft.model, {
    used: false,
    reason: 'reviewOptions switches off all that a model looks for',
  })
  assert.deepEqual(draft.unreadByModel, ['a.ts'])
  await run({}, { config: `reviewOptions: { ${off} }\ninstructions: [Count in cents.]` })
  assert.equal(server.requests.length, 1)
})
