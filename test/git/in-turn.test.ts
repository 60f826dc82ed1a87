import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from '../../src/lib/git/in-turn.ts'

/** A promise, and what settles it. */
function deferred() {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

const { signal } = new AbortController()

test('work is done one at a time and in order, also after work that failed', async () => {
  const inTurn = createTurns()
  const log: string[] = []
  const work = (name: string) => async () => {
    log.push(`${name} begins`)
    await new Promise(setImmediate)
    log.push(`${name} ends`)
    if (name === 'b') throw new Error('b failed')
    return name
  }
  const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => inTurn(work(name), signal)))
  assert.deepEqual(log, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
})

test('whoever gives up waiting does so at once, and lets nobody overtake', async () => {
  const inTurn = createTurns()
  const first = deferred()
  const log: string[] = []
  const running = inTurn(async () => {
    await first.promise
    log.push('first')
  }, signal)
  const giving = new AbortController()
  const second = inTurn(async () => log.push('second'), giving.signal)
  const third = inTurn(async () => log.push('third'), signal)
  giving.abort(new Error('gave up'))
  await assert.rejects(second, { message: 'gave up' })
  await new Promise(setImmediate)
  assert.deepEqual(log, [], 'the third waits for the first')
  first.resolve()
  await Promise.all([running, third])
  assert.deepEqual(log, ['first', 'third'])
})

test('work that has begun is waited for when its signal is aborted: it ends itself', async () => {
  const inTurn = createTurns()
  const cleanedUp = deferred()
  const cancelled = new AbortController()
  let ended = false
  const running = inTurn(async () => {
    await cleanedUp.promise
    ended = true
  }, cancelled.signal)
  await new Promise(setImmediate)
  cancelled.abort()
  cleanedUp.resolve()
  await running
  assert.ok(ended)
})
