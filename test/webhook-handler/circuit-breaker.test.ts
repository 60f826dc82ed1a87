import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCircuitBreaker } from '../../src/webhook-handler/circuit-breaker.ts'

function createBreaker() {
  let now = 0
  const changes: string[] = []
  const breaker = createCircuitBreaker({
    firstPauseMs: 100,
    longestPauseMs: 500,
    onChange: (state) => changes.push(state),
    now: () => now,
  })
  return { breaker, changes, pass: (ms: number) => (now += ms) }
}

test('closed, it lets everybody call, and one failure opens it', () => {
  const { breaker, changes } = createBreaker()
  const calls = [breaker.admit(), breaker.admit(), breaker.admit()]
  calls[0]?.succeeded()
  assert.equal(breaker.state(), 'closed')
  calls[1]?.failed()
  calls[2]?.failed()
  assert.deepEqual([breaker.state(), breaker.admit(), changes], ['open', undefined, ['open']])
})

test('after its pause one call goes through, and nobody else until that has an outcome', () => {
  const { breaker, pass } = createBreaker()
  breaker.admit()?.failed()
  pass(99)
  assert.equal(breaker.admit(), undefined)
  pass(1)
  const probe = breaker.admit()
  assert.ok(probe)
  pass(1_000_000)
  assert.deepEqual([breaker.state(), breaker.admit()], ['half-open', undefined])
  probe.succeeded()
  assert.equal(breaker.state(), 'closed')
  assert.ok(breaker.admit() && breaker.admit())
})

test('each failed probe doubles the pause up to the longest; a success makes it short again', () => {
  const { breaker, pass, changes } = createBreaker()
  const pauses = () => {
    let waited = 0
    for (let call = breaker.admit(); ; call = breaker.admit()) {
      if (call) return { waited, call }
      waited += 50
      pass(50)
    }
  }
  breaker.admit()?.failed()
  const seen: number[] = []
  for (let n = 0; n < 5; n++) {
    const { waited, call } = pauses()
    seen.push(waited)
    call.failed()
  }
  assert.deepEqual(seen, [100, 200, 400, 500, 500])
  pauses().call.succeeded()
  breaker.admit()?.failed()
  assert.equal(pauses().waited, 100)
  assert.deepEqual(changes, ['open', 'closed', 'open'])
})

test('what began before the failure neither fails the probe nor lengthens the pause', () => {
  const { breaker, pass } = createBreaker()
  const early = breaker.admit()
  breaker.admit()?.failed()
  pass(100)
  const probe = breaker.admit()
  early?.failed()
  assert.equal(breaker.state(), 'half-open')
  probe?.failed()
  pass(199)
  early?.failed()
  assert.equal(breaker.admit(), undefined)
  pass(1)
  assert.ok(breaker.admit())
})

test('who has no alternative may always call: success closes it, failure changes nothing', () => {
  const { breaker } = createBreaker()
  breaker.admit()?.failed()
  breaker.insist().failed()
  assert.equal(breaker.state(), 'open')
  breaker.insist().succeeded()
  assert.equal(breaker.state(), 'closed')
  breaker.insist().failed()
  assert.equal(breaker.state(), 'closed')
})
