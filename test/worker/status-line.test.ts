import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Forge, ReviewStatus } from '../../src/forges/forge.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { JobOf } from '../../src/store/transition-job.ts'
import { createStatusLine } from '../../src/worker/status-line.ts'

const JOB = { id: 'job', run: 1, payload: { repository: 'octo/shop' } } as JobOf<'code-review'>
const ENDED: ReviewStatus = {
  state: 'ended',
  verdict: { conclusion: 'neutral', title: 'Cancelled', summary: '' },
}

/** A forge that takes each update when it is told to. */
function aForge({ isAllowed = true } = {}) {
  const shown: string[] = []
  const takes: (() => void)[] = []
  const forge = {
    pullRequests: { isAllowed: () => isAllowed },
    status: {
      show: async (_request: unknown, _job: unknown, status: ReviewStatus) => {
        shown.push(status.state === 'running' ? status.stage : status.state)
        await new Promise<void>((resolve) => takes.push(resolve))
      },
    },
  } as unknown as Forge
  return { forge, shown, take: () => takes.shift()?.() }
}

test('the first stage is shown at once, those within five seconds of it are not, and the end always is', async () => {
  const { forge, shown, take } = aForge()
  const line = createStatusLine(forge, JOB, silentLog)
  line.running('gather-change', 20)
  take()
  await line.settled()
  line.running('load-config', 30)
  const ended = line.end(ENDED)
  await line.settled()
  take()
  await ended
  assert.deepEqual(shown, ['gather-change', 'ended'])
})

test('the end comes after what is still on its way', async () => {
  const { forge, shown, take } = aForge()
  const line = createStatusLine(forge, JOB, silentLog, 0)
  line.running('gather-change', 20)
  line.running('load-config', 30)
  const ended = line.end(ENDED)
  await new Promise(setImmediate)
  assert.deepEqual(shown, ['gather-change'], 'one at a time')
  take()
  await line.settled()
  await new Promise(setImmediate)
  take()
  await ended
  assert.deepEqual(shown, ['gather-change', 'ended'])
})

test('a forge that fails to show how far a review is harms nobody; who shows its end learns of it', async () => {
  const status = {
    show: () => Promise.reject(new Error('no')),
  }
  const line = createStatusLine({ status } as unknown as Forge, JOB, silentLog)
  line.running('gather-change', 20)
  await line.settled()
  await assert.rejects(line.end(ENDED), /no/)
})

test('nothing is shown at a repository that the operator does not want worked for', async () => {
  const { forge, shown } = aForge({ isAllowed: false })
  const line = createStatusLine(forge, JOB, silentLog)
  line.running('admit', 0)
  await line.end(ENDED)
  assert.deepEqual([shown, line.hasShown()], [[], false])
})
