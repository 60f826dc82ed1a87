import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { kodus } from '../support/kodus.ts'

test('the demo shows a webhook becoming a review, and leaves nothing running', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-demo-'))
  chmodSync(directory, 0o755)
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const { code, stdout, stderr } = await kodus(['demo'], { KODUS_DIRECTORY: directory })
  assert.equal(code, 0, stderr)

  const story = ['202', '· → PENDING', 'PENDING → PROCESSING', 'PROCESSING → COMPLETED']
  assert.deepEqual(
    story.map((line) => stdout.indexOf(line)).toSorted((a, b) => a - b),
    story.map((line) => stdout.indexOf(line)),
  )
  const expected = JSON.parse(readFileSync('examples/sample-pr/expected.json', 'utf8')) as {
    path: string
    line: number
  }[]
  for (const { path: file, line } of expected)
    assert.ok(stdout.includes(`${file}:${line}`), `${file}:${line} is reported`)
  for (const [pid] of stdout.matchAll(/(?<=\(pid )\d+/g)) assert.throws(() => process.kill(Number(pid), 0))
})
