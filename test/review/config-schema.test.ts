import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { configJsonSchema } from '../../src/review/config/json-schema.ts'
import { KEYS } from '../../src/review/config/keys.ts'
import { parseReviewConfig } from '../../src/review/review-config.ts'

const committed = JSON.parse(
  readFileSync(new URL('../../schema/kodus-config.schema.json', import.meta.url), 'utf8'),
)
const fits = new Ajv().compile(committed)

test('the committed schema is the one that the definitions make (node scripts/write-config-schema.ts)', () => {
  assert.deepEqual(committed, JSON.parse(JSON.stringify(configJsonSchema())))
})

test('every key has a description and a default', () => {
  assert.deepEqual(Object.keys(committed.properties), Object.keys(KEYS))
  for (const [name, key] of Object.entries<Record<string, unknown>>(committed.properties)) {
    assert.ok(typeof key.description === 'string' && 'default' in key, name)
  }
})

const RULE = 'id: a, language: go, what: x'

for (const text of [
  '',
  '# nothing yet',
  'version: 2.0',
  'version: "2"',
  'paths: [src/**, "*.{ts,tsx}", .github/**, a..b]',
  'language: Português (Brasil)',
  'reviewOptions: {}',
  'reviewOptions: { business_logic: false }',
  'checks: { failOn: null }',
  'customRules: []',
  `customRules: [{ ${RULE}, rule: { all: [{ kind: a }, { not: { inside: { regex: x, stopBy: end } } }] } }]`,
  `customRules: [{ ${RULE}, rule: { has: { field: body, pattern: { context: "f()", selector: x } } } }]`,
  'customRules: [{ id: a, language: [tsx, typescript], what: x, rule: { kind: a } }]',
  'instructions: [one, { text: two }, { text: three, paths: [a/**] }]',
]) {
  test(`schema and parser both take: ${text || '(nothing)'}`, () => {
    assert.deepEqual(parseReviewConfig(text).problems, [])
    assert.ok(fits(parse(text)), JSON.stringify(fits.errors))
  })
}

for (const text of [
  '[]',
  'ignorePaths: gen/**',
  'ignorePaths:',
  'ignorePaths: [1]',
  'ignorePaths: [""]',
  'ignorePaths: ["!a"]',
  'ignorePaths: ["[a]"]',
  'ignorePaths: [a/]',
  'ignorePaths: [../a]',
  'runOnDraft: "true"',
  'ignoredTitleKeywords: [" "]',
  'language: "a: b"',
  'reviewOptions: { bug: 1 }',
  'reviewOptions: { cross_file: true }',
  'suggestionControl: { severityLevelFilter: blocker }',
  'checks: { failOn: never }',
  'reviewCadence: {}',
  'unknown: 1',
  'customRules: { a: b }',
  'customRules: [{ id: a b, language: go, what: x, rule: { kind: a } }]',
  'customRules: [{ id: a, language: cobol, what: x, rule: { kind: a } }]',
  'customRules: [{ id: a, language: [], what: x, rule: { kind: a } }]',
  `customRules: [{ ${RULE} }]`,
  `customRules: [{ ${RULE}, rule: { any: [] } }]`,
  `customRules: [{ ${RULE}, rule: { nthChild: 1 } }]`,
  `customRules: [{ ${RULE}, rule: { stopBy: end } }]`,
  `customRules: [{ ${RULE}, rule: { kind: a }, constraints: {} }]`,
  `customRules: [{ ${RULE}, rule: { has: { matches: x } } }]`,
  'instructions: [1]',
  'instructions: [{ paths: [a] }]',
  `instructions: ["${'x'.repeat(2_001)}"]`,
]) {
  test(`schema and parser both refuse: ${text.slice(0, 80)}`, () => {
    assert.notDeepEqual(parseReviewConfig(text).problems, [])
    assert.ok(!fits(parse(text)))
  })
}
