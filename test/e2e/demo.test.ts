import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { PIPELINE } from '../../src/review/pipeline.ts'
import { kodus } from '../support/kodus.ts'

test('the demo shows a webhook becoming a review, and leaves nothing running', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-demo-'))
  chmodSync(directory, 0o755)
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const { code, stdout, stderr } = await kodus(['demo'], { KODUS_DIRECTORY: directory })
  assert.equal(code, 0, stderr)

  const stages = PIPELINE.map((stage) => ` %  ${stage.name}`)
  const story = ['202', '· → PENDING', 'PENDING → PROCESSING', ...stages, 'PROCESSING → COMPLETED']
  for (const [index, line] of story.entries()) {
    const before = index === 0 ? 0 : stdout.indexOf(story[index - 1] ?? '')
    assert.ok(stdout.indexOf(line, before) > before, `"${line}" comes where it should:\n${stdout}`)
  }
  const expected = JSON.parse(readFileSync('examples/sample-pr/expected.json', 'utf8')) as {
    path: string
    line: number
  }[]
  for (const { path: file, line } of expected)
    assert.ok(stdout.includes(`${file}:${line}`), `${file}:${line} is reported`)
  const pids = [...stdout.matchAll(/(?<=\(pid )\d+/g)].map(([pid]) => Number(pid))
  assert.equal(pids.length, 4, 'three components and PostgreSQL')
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('a component that cannot start is told with the file that says why', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-demo-'))
  chmodSync(directory, 0o755)
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  // Ports that nobody else takes, so that it is the worker that fails.
  const env = { KODUS_DIRECTORY: directory, WEBHOOK_PORT: '0', API_PORT: '0', WORKER_SLOTS: 'abc' }
  const { code, stderr } = await kodus(['demo'], env)
  assert.equal(code, 2)
  const [, file = ''] =
    /^COMPONENT_NOT_STARTED: worker .*\nThe last line of (.*) says why\.$/m.exec(stderr) ?? []
  assert.equal(file, path.join(directory, 'logs', 'worker.log'), stderr)
  assert.match(readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '', /WORKER_SLOTS/)
})
