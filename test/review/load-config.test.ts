import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OpenChange } from '../../src/forges/forge.ts'
import type { ReviewRequest } from '../../src/jobs/review-request.ts'
import { newDraft } from '../../src/review/draft.ts'
import type { ReviewPorts } from '../../src/review/stage.ts'
import { loadConfig } from '../../src/review/stages/load-config.ts'
import { markedChange } from '../support/marked-change.ts'

const REQUEST: Partial<ReviewRequest> = {
  pullRequest: '7',
  title: 'Swipe to delete',
  draft: false,
  baseBranch: 'main',
  approvedBy: null,
}

/** The stage, over a base with this file. */
async function load(text: string | undefined, request: Partial<ReviewRequest> = {}) {
  const draft = newDraft({ ...REQUEST, ...request } as ReviewRequest)
  draft.source = {
    change: markedChange([]),
    readFile: async (side: string, path: string) =>
      side === 'base' && path === 'kodus-config.yml' ? text : assert.fail(`read ${side} ${path}`),
  } as Partial<OpenChange> as OpenChange
  const ports = { signal: new AbortController().signal } as Partial<ReviewPorts> as ReviewPorts
  return { draft, outcome: await loadConfig.run(draft, ports) }
}

for (const [what, text, request, reason] of [
  ['a draft', '', { draft: true }, 'it is a draft (runOnDraft)'],
  ['a draft, and no file', undefined, { draft: true }, 'it is a draft (runOnDraft)'],
  [
    'reviews on request only',
    'automatedReviewActive: false',
    {},
    'this repository reviews on request only (automatedReviewActive)',
  ],
  [
    'a word in its title',
    'ignoredTitleKeywords: ["[wip]", swipe]',
    {},
    'its title has "swipe" in it (ignoredTitleKeywords)',
  ],
  [
    'another base branch',
    'baseBranches: [release/*]',
    {},
    'pull requests into main are not reviewed here (baseBranches)',
  ],
] as const) {
  test(`${what}: it ends without a review, neutral, and says how to ask for one`, async () => {
    const { outcome } = await load(text, request)
    assert.equal(outcome.did, 'finish')
    assert.ok(outcome.did === 'finish' && outcome.verdict)
    assert.equal(outcome.verdict.conclusion, 'neutral')
    assert.equal(outcome.verdict.title, `Not reviewed: ${reason}`)
    assert.match(outcome.verdict.summary, /`@kody review`/)
  })

  test(`${what}: it is reviewed when somebody with a say in it asks, or it is no pull request`, async () => {
    for (const said of [{ approvedBy: 'maintainer' }, { pullRequest: null }]) {
      assert.notEqual((await load(text, { ...request, ...said })).outcome.did, 'finish')
    }
  })
}

for (const [what, text, request] of [
  ['a draft of a repository that wants them', 'runOnDraft: true', { draft: true }],
  ['a keyword inside a word', 'ignoredTitleKeywords: [wip, wipe, Swi]', {}],
  ['a listed base branch', 'baseBranches: [develop, "m*"]', {}],
  ['a base branch that the forge did not name', 'baseBranches: [develop]', { baseBranch: null }],
] as const) {
  test(`${what} is reviewed`, async () => {
    assert.equal((await load(text, request)).outcome.did, 'continue')
  })
}

test('problems become notes, a rule that ast-grep refuses among them, and the rest of the file counts', async () => {
  const rules = `
runOnDrafts: true
customRules:
  - { id: bad, language: go, what: x, rule: { kind: nonsense } }
  - { id: good, language: go, what: x, rule: { kind: identifier } }
`
  const { draft } = await load(rules)
  assert.deepEqual(
    draft.config.customRules.map((rule) => rule.id),
    ['good'],
  )
  assert.deepEqual(
    draft.notes.map((note) => note.about),
    ['kodus-config.yml', 'kodus-config.yml'],
  )
  assert.match(draft.notes[0]?.reason ?? '', /did you mean `runOnDraft`/)
  assert.match(draft.notes[1]?.reason ?? '', /^`customRules bad` is not used: .*nonsense/)
})

test('a typo is told even where the pull request is left alone, and nothing in it becomes markup', async () => {
  const { outcome } = await load('automatedReviewActive: false\n"@everyone <b>": 1\n')
  assert.ok(outcome.did === 'finish' && outcome.verdict)
  assert.match(outcome.verdict.summary, /unknown key `@everyone <b>`/)
})

test('without a file, the defaults apply', async () => {
  const { draft, outcome } = await load(undefined)
  assert.equal(outcome.did, 'skip')
  assert.deepEqual(draft.notes, [])
})
