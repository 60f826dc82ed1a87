import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Finding } from '../../src/review/review.ts'
import { findSecrets } from '../../src/review/rules/find-secrets.ts'
import { runRules } from '../../src/review/rules/run-rules.ts'

const SAMPLE = fileURLToPath(new URL('../../examples/sample-pr', import.meta.url))

interface Expected {
  path: string
  line: number
  rule: string
}

const where = ({ path, line, rule }: Expected): Expected => ({ path, line, rule })
const asText = (expected: Expected): string => `${expected.path}:${expected.line} ${expected.rule}`

describe('the sample pull request', () => {
  const repository = mkdtempSync(join(tmpdir(), 'kodus-sample-pr-'))
  let touched: Map<string, Set<number>>
  let findings: Finding[]

  before(async () => {
    git('init', '--quiet', '--initial-branch=main')
    commit('base')
    commit('head')
    touched = touchedByPath(git('diff', '--unified=0', '--find-renames', 'HEAD~1', 'HEAD'))
    findings = await analyse(touched)
  })
  after(() => rmSync(repository, { recursive: true, force: true }))

  function git(...args: string[]): string {
    const identity = ['-c', 'user.name=sample', '-c', 'user.email=sample@example.org']
    const settings = [
      '-c',
      'commit.gpgsign=false',
      '-c',
      'core.autocrlf=false',
      '-c',
      'core.hooksPath=/dev/null',
    ]
    const env = { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }
    return execFileSync('git', [...identity, ...settings, ...args], {
      cwd: repository,
      encoding: 'utf8',
      env,
    })
  }

  /** Makes one of the two trees the content of the repository. */
  function commit(tree: 'base' | 'head'): void {
    for (const entry of readdirSync(repository)) {
      if (entry !== '.git') rmSync(join(repository, entry), { recursive: true })
    }
    cpSync(join(SAMPLE, tree), repository, { recursive: true })
    git('add', '--all')
    git('commit', '--quiet', '--message', tree)
  }

  async function analyse(lines: Map<string, Set<number>>): Promise<Finding[]> {
    const found: Finding[] = []
    for (const [path, touched] of lines) {
      const file = { path, text: readFileSync(join(SAMPLE, 'head', path), 'utf8'), touched }
      found.push(...(await runRules(file)), ...(await findSecrets(file)))
    }
    return found
  }

  test('yields exactly the findings of expected.json', () => {
    const expected: Expected[] = JSON.parse(readFileSync(join(SAMPLE, 'expected.json'), 'utf8'))
    assert.deepEqual(findings.map(where).map(asText).sort(), expected.map(asText).sort())
  })

  test('has mistakes on lines that it did not change, of which nothing is said', async () => {
    const whole = new Map([...touched.keys()].map((path) => [path, everyLineOf(path)]))
    const reported = new Set(findings.map(asText))
    const silent = (await analyse(whole)).filter((finding) => !reported.has(asText(finding)))
    assert.deepEqual(silent.map(asText).sort(), [
      'deploy/orders.yaml:7 secret/basicauth',
      'src/orders/search-orders.ts:23 typescript/sql-injection',
      'src/orders/ship-orders.ts:22 typescript/empty-catch',
      'worker/settle_payments.py:29 python/swallowed-exception',
    ])
  })

  test('renames one file, deletes one, adds two and changes a binary one', () => {
    const status = git('diff', '--name-status', '--find-renames', 'HEAD~1', 'HEAD').trim().split('\n')
    const kinds = status.map((line) => line[0]).sort()
    assert.deepEqual(
      kinds.filter((kind) => kind !== 'M'),
      ['A', 'A', 'D', 'R'],
    )
    assert.match(git('diff', '--numstat', 'HEAD~1', 'HEAD'), /^-\t-\tassets\/logo\.png$/m)
  })

  test('has a mistake that can be mended by a committable suggestion', () => {
    const replacements = findings.flatMap(({ replacement }) => replacement ?? [])
    assert.deepEqual(replacements, [
      ['  if (Number.isNaN(amount)) throw new RangeError(`not an amount: $', '{text}`)'].join(''),
      '        if payment["state"] != "captured":',
    ])
  })

  test('says what it is in pull-request.json', () => {
    const request = JSON.parse(readFileSync(join(SAMPLE, 'pull-request.json'), 'utf8'))
    for (const field of ['title', 'description', 'branch']) assert.ok(request[field].length > 0, field)
  })
})

function everyLineOf(path: string): Set<number> {
  const text = readFileSync(join(SAMPLE, 'head', path), 'utf8')
  return new Set(text.split('\n').map((_, index) => index + 1))
}

/** Reads `git diff --unified=0`: what a hunk's head says of the new side are the touched lines. */
function touchedByPath(diff: string): Map<string, Set<number>> {
  const touched = new Map<string, Set<number>>()
  let lines = new Set<number>()
  for (const line of diff.split('\n')) {
    const path = /^\+\+\+ b\/(.+)$/.exec(line)?.[1]
    if (path) {
      lines = new Set()
      touched.set(path, lines)
    }
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (!hunk) continue
    const [first, count] = [Number(hunk[1]), Number(hunk[2] ?? 1)]
    for (let at = first; at < first + count; at++) lines.add(at)
  }
  return touched
}
