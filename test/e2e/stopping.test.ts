import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { spawnComponent } from '../support/processes.ts'

test('a worker that still waits for its database stops when it is asked to', async (t) => {
  const env = { DATABASE_URL: `postgresql://127.0.0.1:${await freePort()}/none` }
  const worker = await spawnComponent(t, { type: 'worker', env, untilReady: false })
  await worker.line(({ msg }) => msg.startsWith('database not ready'))
  assert.deepEqual(await worker.stop(), { code: 0, signal: null })
})

test('without DATABASE_URL every component says so in one coded line, and ends with 1', async (t) => {
  for (const type of ['webhook', 'api', 'worker'] as const) {
    const component = await spawnComponent(t, { type, env: {}, untilReady: false })
    const line = await component.line(({ level }) => level === 'error')
    assert.equal(line.code, 'CONFIG_MISSING')
    assert.match(line.msg, /DATABASE_URL/)
    assert.ok(line.help)
    assert.equal((await component.exited).code, 1)
    assert.equal(component.lines.length, 1)
  }
})
