import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createLocalReader } from '../../src/forges/git/client.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createOpenAiCompatibleModel } from '../../src/models/openai-compatible.ts'
import { runPipeline } from '../../src/review/pipeline.ts'
import type { Finding, Review } from '../../src/review/review.ts'
import { answers, startLlmServer } from '../support/llm-server.ts'
import { memoryPorts, reviewRequest } from '../support/memory-ports.ts'
import { makeRepository } from '../support/repository.ts'

// The whole pipeline, push after push, over a real repository.

const lines = (...all: string[]) => `${all.join('\n')}\n`
const PADDING = Array.from({ length: 12 }, (_, at) => `const padding${at} = ${at}`)

const FOREACH = 'items.forEach(async (item) => { await save(item) })'
const CATCH = 'try { run() } catch (error) {}'

async function pullRequest(
  t: TestContext,
  base: Record<string, string>,
  head: Record<string, string | null>,
) {
  const repository = makeRepository(t, { base, head })
  repository.git('branch', 'base', 'HEAD~1')
  const server = await startLlmServer()
  t.after(() => server.close())
  const memory = memoryPorts()
  const ports = {
    ...memory.ports,
    forge: { ...memory.ports.forge, reader: createLocalReader(repository.path) },
    model: createOpenAiCompatibleModel({ baseUrl: server.baseUrl, model: 'fake' }),
  }
  const review = async (options: { force?: boolean } = {}): Promise<Review> => {
    const head = repository.git('rev-parse', 'HEAD')
    const result = await runPipeline({ ...reviewRequest, base: 'base', head, ...options }, ports, silentLog)
    assert.ok(result.did === 'review', JSON.stringify(result))
    return result.review
  }
  return { ...repository, ...memory, ports, server, review }
}

function told({ findings, carried, fixed, returned }: Review) {
  const places = (list: Finding[]) =>
    list.map(({ path, line, rule }) => `${path}:${line} ${rule.replace(/^.*\//, '')}`)
  return { new: places(findings), open: places(carried), fixed: places(fixed), back: places(returned) }
}

const nothing = { new: [], open: [], fixed: [], back: [] }

test('a push reviews what it adds: rules and model see no line twice', async (t) => {
  const first = lines(FOREACH, ...PADDING)
  const { review, commit, server } = await pullRequest(
    t,
    { 'b.ts': 'x\n' },
    { 'a.ts': first, 'c.ts': 'ok()\n' },
  )
  assert.deepEqual(told(await review()), { ...nothing, new: ['a.ts:1 async-foreach'] })
  assert.match(server.requests[0]?.prompt ?? '', /\+ .*forEach/)

  commit({ 'a.ts': `${first}${CATCH}\n` })
  const second = await review()
  assert.deepEqual(told(second), { ...nothing, new: ['a.ts:14 empty-catch'], open: ['a.ts:1 async-foreach'] })
  assert.deepEqual(second.files, { changed: 2, reviewed: 1, secretsOnly: 0, unchanged: 1 })
  const prompt = server.requests[1]?.prompt ?? ''
  assert.match(prompt, /\+ .*catch/)
  assert.doesNotMatch(prompt, /\+ .*(forEach|padding)/, 'what was read is context, or not shown')
  assert.doesNotMatch(prompt, /c\.ts/, 'a file without new lines is not shown')
})

test('a fix beside the reported line is a fix, and a push that touches nothing of it is none', async (t) => {
  const wrong = ['items', '  .forEach(', '    async (item) => {', '      await save(item)', '    })']
  const { review, commit } = await pullRequest(t, { 'b.ts': 'x\n' }, { 'a.ts': lines(...wrong) })
  assert.deepEqual(told(await review()), { ...nothing, new: ['a.ts:2 async-foreach'] })
  commit({ 'b.ts': 'y\n' })
  assert.deepEqual(told(await review()), { ...nothing, open: ['a.ts:2 async-foreach'] })
  commit({ 'a.ts': lines(...wrong.with(2, '    (item) => {').with(3, '      save(item)')) })
  assert.deepEqual(told(await review()), { ...nothing, fixed: ['a.ts:2 async-foreach'] })
})

test('a rebase onto a base that has moved says nothing again, and nothing of what the base brings', async (t) => {
  const { review, commit, git } = await pullRequest(
    t,
    { 'a.ts': lines(...PADDING), 'b.ts': 'x\n' },
    { 'a.ts': lines(...PADDING, FOREACH) },
  )
  assert.deepEqual(told(await review()), { ...nothing, new: ['a.ts:13 async-foreach'] })
  git('checkout', '--quiet', 'base')
  commit({ 'a.ts': lines(CATCH, ...PADDING), 'b.ts': lines(CATCH) })
  git('checkout', '--quiet', 'main')
  git('rebase', '--quiet', 'base')
  assert.deepEqual(told(await review()), { ...nothing, open: ['a.ts:14 async-foreach'] })
})

test('a merge of the base into the change brings nothing to say either', async (t) => {
  const { review, commit, git } = await pullRequest(
    t,
    { 'a.ts': lines(...PADDING) },
    { 'a.ts': lines(...PADDING, FOREACH) },
  )
  await review()
  git('checkout', '--quiet', 'base')
  commit({ 'a.ts': lines(CATCH, ...PADDING), 'b.ts': lines(CATCH) })
  git('checkout', '--quiet', 'main')
  git('merge', '--quiet', '--no-edit', 'base')
  assert.deepEqual(told(await review()), { ...nothing, open: ['a.ts:14 async-foreach'] })
})

test('a renamed file takes its findings with it; a deleted one leaves them fixed', async (t) => {
  const { review, commit } = await pullRequest(t, { 'b.ts': 'x\n' }, { 'a.ts': lines(FOREACH, ...PADDING) })
  const first = await review()
  commit({ 'a.ts': null, 'lib/a.ts': lines('// moved', FOREACH, ...PADDING) })
  const renamed = await review()
  assert.deepEqual(told(renamed), { ...nothing, open: ['lib/a.ts:2 async-foreach'] })
  assert.equal(renamed.carried[0]?.id, first.findings[0]?.id)
  commit({ 'lib/a.ts': null })
  assert.deepEqual(told(await review()), { ...nothing, fixed: ['lib/a.ts:2 async-foreach'] })
})

test('what is undone is no part of the change any more: it is fixed', async (t) => {
  const { review, commit } = await pullRequest(
    t,
    { 'a.ts': lines(...PADDING) },
    { 'a.ts': lines(FOREACH, ...PADDING) },
  )
  await review()
  commit({ 'a.ts': lines(...PADDING), 'b.ts': 'y\n' })
  assert.deepEqual(told(await review()), { ...nothing, fixed: ['a.ts:1 async-foreach'] })
})

test('what the base has meanwhile is no part of the change either', async (t) => {
  const { review, commit, git } = await pullRequest(
    t,
    { 'a.ts': lines('old()', ...PADDING) },
    { 'a.ts': lines(...PADDING, FOREACH) },
  )
  await review()
  git('checkout', '--quiet', 'base')
  commit({ 'a.ts': lines('old()', ...PADDING, FOREACH) })
  git('checkout', '--quiet', 'main')
  git('merge', '--quiet', '--no-edit', 'base')
  assert.deepEqual(told(await review()), { ...nothing, fixed: ['a.ts:13 async-foreach'] })
})

test('lines with CRLF, and a last line without an end, are followed like any others', async (t) => {
  const crlf = [...PADDING, FOREACH].join('\r\n')
  const { review, commit } = await pullRequest(t, { 'b.ts': 'x\n' }, { 'a.ts': crlf })
  assert.deepEqual(told(await review()), { ...nothing, new: ['a.ts:13 async-foreach'] })
  commit({ 'a.ts': `// first\r\n${crlf}` })
  assert.deepEqual(told(await review()), { ...nothing, open: ['a.ts:14 async-foreach'] })
  commit({ 'a.ts': `// first\r\n${crlf}\r\n// last` })
  assert.deepEqual(
    told(await review()),
    { ...nothing, open: ['a.ts:14 async-foreach'] },
    'its line got an end',
  )
})

test('a model that talks about the same code after each push is heard once; after a fix, it is answered', async (t) => {
  const { review, commit, server } = await pullRequest(
    t,
    { 'b.ts': 'x\n' },
    { 'a.ts': lines('pay(total)', ...PADDING) },
  )
  const words = {
    why: 'Money.',
    trigger: 'A total of 0.1.',
    advice: 'Round.',
    severity: 'high',
    replacement: null,
  }
  const says = (quote: string, what: string) => ({ path: 'a.ts', quote, what, ...words })
  server.behave(answers({ findings: [says('pay(total)', 'The total is not rounded.')] }))
  const first = await review()
  assert.deepEqual(told(first), { ...nothing, new: ['a.ts:1 bug'] })

  commit({ 'a.ts': lines('pay(total)', 'log(total)', ...PADDING) })
  assert.deepEqual(
    told(await review()),
    { ...nothing, open: ['a.ts:1 bug'] },
    'it quotes a line that is not new',
  )

  server.behave(answers({ findings: [says('pay(total + 1)', 'Cents are lost.')] }))
  commit({ 'a.ts': lines('pay(total + 1)', 'log(total)', ...PADDING) })
  const edited = await review()
  assert.deepEqual(told(edited), { ...nothing, open: ['a.ts:1 bug'] }, 'an edit that did not help')
  assert.equal(edited.carried[0]?.id, first.findings[0]?.id)

  server.behave(answers({ findings: [] }))
  commit({ 'a.ts': lines('pay(round(total))', 'log(total)', ...PADDING) })
  assert.deepEqual(told(await review()), { ...nothing, fixed: ['a.ts:1 bug'] })
})

test('an edit that no model has read again settles nothing that a model said', async (t) => {
  const { review, commit, server, ports } = await pullRequest(
    t,
    { 'b.ts': 'x\n' },
    { 'a.ts': lines('pay(total)') },
  )
  const words = {
    why: 'Money.',
    trigger: 'A total of 0.1.',
    advice: 'Round.',
    severity: 'high',
    replacement: null,
  }
  server.behave(
    answers({ findings: [{ path: 'a.ts', quote: 'pay(total)', what: 'Not rounded.', ...words }] }),
  )
  await review()
  server.behave(answers('no list of findings'))
  commit({ 'a.ts': lines('pay(total, 2)') })
  assert.deepEqual(told(await review()), { ...nothing, open: ['a.ts:1 bug'] }, 'its answer was of no use')
  Object.assign(ports, { model: undefined })
  commit({ 'a.ts': lines('pay(total, 3)') })
  assert.deepEqual(told(await review()), { ...nothing, open: ['a.ts:1 bug'] }, 'it was not asked')
})

test('a change that goes to another branch now is read whole', async (t) => {
  const { commit, git, ports } = await pullRequest(
    t,
    { 'a.ts': lines(...PADDING) },
    { 'a.ts': lines(FOREACH, ...PADDING) },
  )
  commit({ 'b.ts': lines(CATCH) })
  git('branch', 'stacked', 'HEAD~1')
  const run = (base: string) => {
    const request = { ...reviewRequest, base, head: git('rev-parse', 'HEAD'), baseBranch: base }
    return runPipeline(request, ports, silentLog)
  }
  const first = await run('stacked')
  assert.ok(first.did === 'review')
  assert.deepEqual(told(first.review), { ...nothing, new: ['b.ts:1 empty-catch'] })
  assert.equal((await run('stacked')).did, 'finish')
  const second = await run('base')
  assert.ok(second.did === 'review')
  assert.deepEqual(told(second.review), {
    ...nothing,
    new: ['a.ts:1 async-foreach'],
    open: ['b.ts:1 empty-catch'],
  })
})
