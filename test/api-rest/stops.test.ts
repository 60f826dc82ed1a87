import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordIntent } from '../../src/store/record-intent.ts'
import { createJob, startApi, startJob, unreachableDatabase } from './start-api.ts'

const COMMITS = { base: 'a'.repeat(40), head: 'b'.repeat(40) }

test('posting is stopped and resumed, and what was stopped, by whom and why can be read', async (t) => {
  const { get, request, writer, pool } = await startApi(t)
  const ask = (method: string, path: string) =>
    request(method, path, { authorization: `Bearer ${writer.key}` })
  const job = await startJob(pool, await createJob(pool))
  assert.deepEqual((await get('/stops')).body, { stops: [] })

  const stopped = await ask('PUT', `/stops/posting?reason=${encodeURIComponent('GitHub moves')}`)
  assert.deepEqual(
    [stopped.body.name, stopped.body.reason, stopped.body.actor],
    ['posting', 'GitHub moves', 'writer'],
  )
  assert.deepEqual((await get('/stops')).body, { stops: [stopped.body] })
  const refused = await recordIntent(pool, job, COMMITS, {})
  assert.equal(!refused.granted && refused.because, 'posting-stopped')

  await ask('PUT', '/stops/claiming')
  const { stops } = (await get('/stops')).body
  assert.deepEqual(
    stops.map(({ name, reason }: { name: string; reason: string | null }) => [name, reason]),
    [
      ['claiming', null],
      ['posting', 'GitHub moves'],
    ],
  )
  for (let time = 1; time <= 2; time++) {
    const lifted = await ask('DELETE', '/stops/posting')
    assert.deepEqual(
      lifted.body.stops.map(({ name }: { name: string }) => name),
      ['claiming'],
    )
  }
  assert.equal((await recordIntent(pool, job, COMMITS, {})).granted, true)
})

test('what cannot be stopped, or a reason that cannot be stored, is refused', async (t) => {
  const { request, writer } = await startApi(t)
  const ask = (method: string, path: string) =>
    request(method, path, { authorization: `Bearer ${writer.key}` })
  for (const path of [
    '/stops/everything',
    '/stops/posting?reason=',
    '/stops/posting?reason=%00',
    '/stops/posting?why=x',
  ]) {
    const { status, body } = await ask('PUT', path)
    assert.deepEqual([status, body.code], [400, 'PARAMETER_INVALID'], path)
  }
  assert.equal((await ask('DELETE', '/stops/everything')).status, 400)
  assert.equal((await ask('POST', '/stops/posting')).status, 405)
})

test('without a database nothing is said to be stopped, or not to be', async (t) => {
  const { get, request, writer } = await startApi(t, {}, () => unreachableDatabase(t))
  assert.equal((await get('/stops')).status, 503)
  assert.equal(
    (await request('PUT', '/stops/posting', { authorization: `Bearer ${writer.key}` })).status,
    503,
  )
})
