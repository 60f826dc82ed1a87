import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { githubDescription } from '../../github/server.ts'
import { checkOf, startStack, summaryOf, threadsOf } from './stack.ts'

const skip = await githubDescription()
const timeout = 280_000

test('of a pull request with 3,000 files, as many are reviewed as one review reads, and the rest is named', {
  skip,
  timeout,
}, async (t) => {
  const stack = await startStack(t)
  const { github } = stack
  const repository = github.createRepository('octo/large')
  const files = Array.from({ length: 3_000 }, (_, index) => [nameOf(index), textOf(index)])
  repository.commit('feature', Object.fromEntries(files))
  const started = performance.now()
  const pull = repository.openPullRequest({ head: 'feature' })
  await stack.idle()
  t.diagnostic(`${Math.round(performance.now() - started)} ms, ${github.git.bytesSent} bytes of git`)
  t.diagnostic(`worker: ${memoryOf(stack.worker.pid)}`)

  const expected = Array.from({ length: 20 }, (_, index) => `${nameOf(index * 100)}:11`)
  assert.deepEqual(
    threadsOf(pull).map(({ at }) => at),
    expected,
  )
  assert.equal((await checkOf(pull)).annotations.length, 20)
  const { body } = summaryOf(pull)
  assert.match(body, /Read 2000 of 3000 files that the change touches/)
  assert.match(body, /`src\/2000\.py, .* and 980 more files`: not reviewed: more than the 2000 files/)
  assert.equal((await stack.api.jobs('octo/large'))[0]?.attempts, 1)
})

function nameOf(index: number): string {
  return `src/${String(index).padStart(4, '0')}.py`
}

/** Ten lines, and in every hundredth file a mistake in the eleventh. */
function textOf(index: number): string {
  const lines = Array.from({ length: 10 }, (_, line) => `value_${index}_${line} = ${line}\n`)
  return lines.join('') + (index % 100 === 0 ? 'paid = status is "paid"\n' : '')
}

/** The most that the process has had, where the system tells. */
function memoryOf(pid: number): string {
  const file = `/proc/${pid}/status`
  if (!existsSync(file)) return 'unknown'
  return /^VmHWM:\s*(.*)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown'
}
