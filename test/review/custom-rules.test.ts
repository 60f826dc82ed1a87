import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CustomRule, parseReviewConfig } from '../../src/review/review-config.ts'
import { checkCustomRules, runCustomRules } from '../../src/review/rules/custom-rules.ts'

const signal = new AbortController().signal

function rulesOf(...rules: string[]): readonly CustomRule[] {
  const { config, problems } = parseReviewConfig(
    `customRules:\n${rules.map((rule) => `  - { ${rule} }\n`).join('')}`,
  )
  assert.deepEqual(problems, [])
  return config.customRules
}

const file = (path: string, text: string, touched?: number[]) => ({
  path,
  text,
  touched: new Set(touched ?? text.split('\n').map((_, index) => index + 1)),
})

const NO_LOG =
  'id: no-log, language: [typescript, tsx], what: Do not log., rule: { pattern: console.log($$$) }'

test('a rule finds what it describes on touched lines, in files of its languages and paths', async () => {
  const rules = rulesOf(`${NO_LOG}, paths: [src/**]`)
  const { findings, notes } = await runCustomRules(
    rules,
    [
      file('src/a.ts', 'console.log(1)\nrun()\nconsole.log(2)\n', [2, 3]),
      file('src/b.tsx', 'const a = <b onClick={() => console.log(3)} />\n'),
      file('src/c.py', 'console.log(4)\n'),
      file('test/d.ts', 'console.log(5)\n'),
    ],
    signal,
  )
  assert.deepEqual(notes, [])
  assert.deepEqual(
    findings.map(({ id: _, ...finding }) => finding),
    [
      ['src/a.ts', 3],
      ['src/b.tsx', 1],
    ].map(([path, line]) => ({
      source: 'rule',
      rule: 'custom/no-log',
      path,
      line,
      endLine: line,
      severity: 'medium',
      what: 'Do not log.',
      why: 'kodus-config.yml of this repository has a rule against it.',
      advice: '',
    })),
  )
})

test('equal lines have ids of their own, which moving and indenting the code does not change', async () => {
  const ids = async (text: string) => {
    const { findings } = await runCustomRules(rulesOf(NO_LOG), [file('a.ts', text)], signal)
    return findings.map((finding) => finding.id)
  }
  const before = await ids('console.log(1)\n{\n  console.log(1)\n}\n')
  assert.equal(new Set(before).size, 2)
  assert.deepEqual(await ids('run()\n{\n  console.log(1)\n  console.log(1)\n}\n'), before)
})

test('what ast-grep does not take is named with its reason, and takes no other rule with it', async () => {
  const rules = rulesOf(
    'id: kind, language: typescript, what: x, rule: { kind: nonsense }',
    'id: regex, language: go, what: x, rule: { kind: identifier, regex: "(" }',
    'id: empty, language: python, what: x, rule: {}',
    'id: nested, language: java, what: x, rule: { kind: identifier, inside: { kind: class_body, stopBy: end } }',
    NO_LOG,
  )
  const { usable, problems } = await checkCustomRules(rules, signal)
  assert.deepEqual(
    usable.map((rule) => rule.id),
    ['nested', 'no-log'],
  )
  assert.deepEqual(
    problems.map((problem) => problem.split(':')[0]),
    ['`customRules kind` is not used', '`customRules regex` is not used', '`customRules empty` is not used'],
  )
  assert.equal(
    problems[0],
    '`customRules kind` is not used: `rule` is not configured correctly; Rule contains invalid kind matcher; Invalid Kind; Kind `nonsense` is invalid.',
  )
})

/** Minutes of work for a rule that reads all that is below each node. */
const DEEP = file('deep.ts', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)

test('a rule that takes too long is stopped and named; other jobs and other rules go on', {
  timeout: 60_000,
}, async () => {
  const rules = rulesOf(
    'id: slow, language: typescript, what: x, rule: { has: { regex: z, stopBy: end } }',
    NO_LOG,
  )
  let ticks = 0
  const timer = setInterval(() => ticks++, 10)
  const { findings, notes } = await runCustomRules(
    rules,
    [DEEP, file('a.ts', 'console.log(1)\n'), { ...DEEP, path: 'deeper.ts' }],
    signal,
    {
      stepMs: 3_000,
      totalMs: 60_000,
    },
  )
  clearInterval(timer)
  assert.deepEqual(
    findings.map(({ rule, path }) => [rule, path]),
    [['custom/no-log', 'a.ts']],
  )
  assert.deepEqual(notes, [
    {
      about: 'custom/slow',
      reason: 'stopped at deep.ts, and not applied there or after it: it took longer than 3 seconds',
    },
  ])
  assert.ok(ticks >= 30, `the event loop turned ${ticks} times in 3 seconds`)
})

test('when the time for all rules is used up, the files that are left are named', async () => {
  const files = ['a.ts', 'b.ts', 'c.ts'].map((path) => file(path, 'console.log(1)\n'))
  const limits = { stepMs: 30_000, totalMs: 0 }
  const { findings, notes } = await runCustomRules(rulesOf(NO_LOG), files, signal, limits)
  assert.deepEqual(
    findings.map(({ path }) => path),
    ['a.ts'],
  )
  assert.deepEqual(notes, [
    {
      about: 'b.ts, c.ts',
      reason: 'not analysed by customRules, or not by all: they took longer than 0 seconds',
    },
  ])
})

test('an aborted attempt does not wait for a rule', { timeout: 30_000 }, async () => {
  const slow = rulesOf('id: slow, language: typescript, what: x, rule: { has: { regex: z, stopBy: end } }')
  const attempt = new AbortController()
  const running = runCustomRules(slow, [DEEP], attempt.signal, { stepMs: 120_000, totalMs: 120_000 })
  attempt.abort(new Error('the lease is lost'))
  await assert.rejects(running, /the lease is lost/)
})

test('a rule that finds more in a file than anybody reads shows the first, and says so', async () => {
  const { findings, notes } = await runCustomRules(
    rulesOf(NO_LOG),
    [file('a.ts', 'console.log(1)\n'.repeat(50))],
    signal,
  )
  assert.deepEqual([findings.length, findings.at(-1)?.line], [20, 20])
  assert.deepEqual(notes, [{ about: 'custom/no-log', reason: '50 findings in a.ts: the first 20 are shown' }])
})
