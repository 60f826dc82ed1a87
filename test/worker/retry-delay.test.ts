import assert from 'node:assert/strict'
import { test } from 'node:test'
import { retryDelayMs } from '../../src/worker/retry-delay.ts'

test('delays double from five seconds to five minutes, at most half taken off at random', () => {
  const longest = [1, 2, 3, 6, 7, 8, 50].map((attempts) => retryDelayMs(attempts, () => 1))
  assert.deepEqual(longest, [5_000, 10_000, 20_000, 160_000, 300_000, 300_000, 300_000])
  assert.equal(
    retryDelayMs(1, () => 0),
    2_500,
  )
})
