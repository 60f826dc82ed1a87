import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { kodus } from '../support/kodus.ts'
import { makeRepository } from '../support/repository.ts'

const MUTABLE_DEFAULT = {
  base: { 'orders.py': 'def total(items):\n    return sum(items)\n' },
  head: { 'orders.py': 'def total(items, seen=[]):\n    seen.append(items)\n    return sum(items)\n' },
}

test('a local repository is reviewed without any server, and reported on the changed line', async (t) => {
  const { path: repository } = makeRepository(t, MUTABLE_DEFAULT)
  const { code, stdout, stderr } = await kodus(['review', repository, '--base', 'HEAD~1'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /orders\.py:1/)
  assert.match(stdout, /python\/mutable-default/)
  assert.match(stdout, /LLM_BASE_URL/, 'it says that no model was asked')
  assert.equal(stderr, '', 'no progress bar in a pipe')
})

test('each format prints what its readers can parse', async (t) => {
  const { path: repository } = makeRepository(t, MUTABLE_DEFAULT)
  const print = async (format: string) =>
    (await kodus(['review', repository, '--base', 'HEAD~1', '--format', format])).stdout
  assert.equal(JSON.parse(await print('json')).findings[0].line, 1)
  assert.equal(JSON.parse(await print('sarif')).runs[0].results[0].ruleId, 'python/mutable-default')
  assert.match(await print('markdown'), /orders\.py/)
})

test('--fail-on turns a finding of that severity into exit code 1, and a clean change into 0', async (t) => {
  const found = makeRepository(t, MUTABLE_DEFAULT)
  const clean = makeRepository(t, { base: { 'a.py': 'x = 1\n' }, head: { 'a.py': 'x = 2\n' } })
  assert.equal((await kodus(['review', found.path, '--base', 'HEAD~1', '--fail-on', 'low'])).code, 1)
  assert.equal((await kodus(['review', found.path, '--base', 'HEAD~1', '--fail-on', 'critical'])).code, 0)
  assert.equal((await kodus(['review', clean.path, '--base', 'HEAD~1', '--fail-on', 'low'])).code, 0)
})

test('an unknown base, a folder without a repository and a wrong option each end with 2 and say what to do', async (t) => {
  const { path: repository } = makeRepository(t, MUTABLE_DEFAULT)
  const unknown = await kodus(['review', repository, '--base', 'no-such-branch'])
  assert.equal(unknown.code, 2)
  assert.match(unknown.stderr, /no-such-branch/)

  const empty = mkdtempSync(path.join(tmpdir(), 'kodus-empty-'))
  t.after(() => rmSync(empty, { recursive: true }))
  const nowhere = await kodus(['review', empty, '--base', 'main'])
  assert.equal(nowhere.code, 2)
  assert.match(nowhere.stderr, /^[A-Z_]+: /)

  const wrong = await kodus(['review', repository, '--base', 'main', '--format', 'pdf'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /text, json, markdown, sarif/)
})

test("the repository's configuration is read from the base, and what it gets wrong is said", async (t) => {
  const { path: repository, commit } = makeRepository(t, {
    base: { 'a.py': 'x = 1\n', 'kodus-config.yml': 'ignorePaths: ["generated/**"]\nignorPaths: []\n' },
    head: { 'kodus-config.yml': 'ignorePaths: ["**"]\n' },
  })
  commit({ 'a.py': 'def f(x=[]):\n    return x\n', 'generated/b.py': 'def f(x=[]):\n    return x\n' })
  const { stdout } = await kodus(['review', repository, '--base', 'HEAD~2', '--format', 'json'])
  const review = JSON.parse(stdout)
  assert.deepEqual(
    review.findings.map((finding: { path: string }) => finding.path),
    ['a.py'],
  )
  const notes = JSON.stringify(review.notes)
  assert.match(notes, /ignorPaths/)
  assert.match(notes, /generated\/b\.py/)
})

test('a file that the change adds without committing it is not reviewed', async (t) => {
  const { path: repository } = makeRepository(t, MUTABLE_DEFAULT)
  writeFileSync(path.join(repository, 'new.py'), 'def f(x=[]):\n    return x\n')
  const { stdout } = await kodus(['review', repository, '--base', 'HEAD~1', '--format', 'json'])
  assert.equal(JSON.parse(stdout).findings.length, 1)
})
