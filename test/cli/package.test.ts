import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { run } from '../support/kodus.ts'
import { makeRepository } from '../support/repository.ts'

test('the package that npm pack makes reviews a repository after being installed elsewhere', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-package-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(path.join(directory, 'package.json'), '{ "private": true }')

  const packed = await run('npm', ['pack', '--silent', '--pack-destination', directory])
  assert.equal(packed.code, 0, packed.stderr)
  const tarball = path.join(directory, packed.stdout.trim().split('\n').at(-1) ?? '')
  const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', tarball]
  const installed = await run('npm', install, { cwd: directory })
  assert.equal(installed.code, 0, installed.stderr)

  const { path: repository } = makeRepository(t, {
    base: { 'orders.py': 'def total(items):\n    return sum(items)\n' },
    head: { 'orders.py': 'def total(items, seen=[]):\n    seen.append(items)\n    return sum(items)\n' },
  })
  const bin = path.join(directory, 'node_modules', '.bin', 'kodus')
  // The machine's own Node, as a user has it, and the one that this checkout brings.
  const outside = (process.env.PATH ?? '')
    .split(path.delimiter)
    .filter((entry) => !entry.includes('node_modules'))
  for (const PATH of [outside.join(path.delimiter), process.env.PATH ?? '']) {
    const args = ['review', repository, '--base', 'HEAD~1', '--format', 'json']
    const review = await run(bin, args, { cwd: directory, env: { PATH } })
    assert.equal(review.code, 0, review.stderr)
    assert.deepEqual(
      JSON.parse(review.stdout).findings.map((finding: { rule: string }) => finding.rule),
      ['python/mutable-default'],
    )
  }
})
