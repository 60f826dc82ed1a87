import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keepDeadLetter } from '../../src/store/keep-dead-letter.ts'
import { aDelivery } from '../support/deliveries.ts'
import { createJob, failJob, startApi, startJob } from './start-api.ts'

function keep(db: Parameters<typeof keepDeadLetter>[0], body: string | Buffer) {
  return keepDeadLetter(db, {
    queue: 'workflow.intake.queue',
    routingKey: 'workflow.intake',
    reason: 'rejected',
    messageId: null,
    body: Buffer.from(body),
  })
}

test('dead letters are listed newest first, with as much of their bodies as can be shown', async (t) => {
  const { get, pool } = await startApi(t)
  const ids = [await keep(pool, '{"forge":'), await keep(pool, `\u001b[31m\u202e${'x'.repeat(1000)}`)]
  const first = (await get('/dead-letters?limit=1')).body
  assert.deepEqual([first.deadLetters.length, first.deadLetters[0].id, first.next], [1, ids[1], ids[1]])
  assert.match(first.deadLetters[0].excerpt, /^x{100,200}$/)
  assert.equal(first.deadLetters[0].bytes, 1008)
  const second = (await get(`/dead-letters?limit=1&cursor=${first.next}`)).body
  assert.deepEqual([second.deadLetters[0].excerpt, second.next], ['{"forge":', null])
})

test('a dead letter that can be read is replayed, once, and says which job it became', async (t) => {
  const { get, post, pool } = await startApi(t)
  const delivery = aDelivery()
  const id = await keep(pool, JSON.stringify(delivery))
  const replayed = await post(`/dead-letters/${id}/replay`)
  assert.deepEqual([replayed.status, replayed.body.jobId], [200, delivery.jobId])
  assert.equal((await get(`/jobs/${delivery.jobId}`)).body.status, 'PENDING')
  const again = await post(`/dead-letters/${id}/replay`)
  assert.deepEqual([again.status, again.body.code], [409, 'DEAD_LETTER_SETTLED'])
  assert.deepEqual((await get('/dead-letters')).body.deadLetters, [])
  const { rows } = await pool.query('select outcome, settled_by from dead_letters')
  assert.deepEqual(rows, [{ outcome: 'replayed', settled_by: 'writer' }])
})

test('one that cannot be read stays until it is discarded', async (t) => {
  const { get, post, pool } = await startApi(t)
  const id = await keep(pool, Buffer.from([0xff, 0]))
  const refused = await post(`/dead-letters/${id}/replay`)
  assert.deepEqual([refused.status, refused.body.code], [409, 'DEAD_LETTER_UNREADABLE'])
  assert.equal((await get('/dead-letters')).body.deadLetters.length, 1)

  assert.equal((await post(`/dead-letters/${id}/discard`)).body.outcome, 'discarded')
  assert.deepEqual((await get('/dead-letters')).body.deadLetters, [])
  assert.equal((await post(`/dead-letters/${id}/discard`)).body.code, 'DEAD_LETTER_SETTLED')
})

test('a dead letter that does not exist is 404, and what is no id is 400', async (t) => {
  const { post, get } = await startApi(t)
  for (const action of ['replay', 'discard']) {
    const unknown = await post(`/dead-letters/4711/${action}`)
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'DEAD_LETTER_UNKNOWN'])
    for (const id of ['x', '-1', '9'.repeat(30), '%00'])
      assert.equal((await post(`/dead-letters/${id}/${action}`)).body.code, 'PARAMETER_INVALID')
  }
  assert.equal((await get('/dead-letters?cursor=x')).body.code, 'PARAMETER_INVALID')
})

test('a failed job is listed as dead until it is discarded, and a replay brings it back to life', async (t) => {
  const { get, post, pool } = await startApi(t)
  const [failed] = [await createJob(pool), await createJob(pool)]
  await failJob(pool, failed)
  const dead = async (query = '') =>
    (await get(`/jobs?dead=true${query}`)).body.jobs.map(({ id }: { id: string }) => id)
  assert.deepEqual(await dead(), [failed])
  assert.deepEqual(await dead('&code=GIT_UNREACHABLE'), [failed])
  assert.deepEqual(await dead('&code=MODEL_UNAVAILABLE'), [])
  assert.equal((await get('/jobs?dead=false')).body.jobs.length, 2)
  assert.equal((await get('/jobs?dead=yes')).body.code, 'PARAMETER_INVALID')

  const discarded = await post(`/jobs/${failed}/discard`)
  assert.deepEqual([discarded.status, discarded.body.status], [200, 'FAILED'])
  assert.ok(discarded.body.discardedAt)
  assert.deepEqual(await dead(), [])
  const { events } = (await get(`/jobs/${failed}/events`)).body
  assert.deepEqual([events.at(-1).actor, events.at(-1).reason], ['writer', 'discarded over the API'])

  const replayed = await post(`/jobs/${failed}/replay`)
  assert.deepEqual([replayed.body.status, replayed.body.discardedAt], ['PENDING', null])
})

test('only what failed can be discarded, and once', async (t) => {
  const { post, pool } = await startApi(t)
  const waiting = await createJob(pool)
  const running = await createJob(pool)
  await startJob(pool, running)
  const failed = await createJob(pool)
  await failJob(pool, failed)
  await post(`/jobs/${failed}/discard`)
  for (const id of [waiting, running, failed]) {
    const { status, body } = await post(`/jobs/${id}/discard`)
    assert.deepEqual([status, body.code], [409, 'JOB_NOT_DISCARDABLE'])
  }
  assert.equal((await post(`/jobs/${crypto.randomUUID()}/discard`)).body.code, 'JOB_UNKNOWN')
})

test('a stream of a discarded job tells of it, and ends', async (t) => {
  const { url, reader, post, pool } = await startApi(t)
  const id = await createJob(pool)
  await failJob(pool, id)
  await post(`/jobs/${id}/discard`)
  const response = await fetch(`${url}/jobs/${id}/events`, {
    headers: { authorization: `Bearer ${reader.key}`, accept: 'text/event-stream' },
  })
  const text = await response.text()
  assert.match(text, /discarded over the API[\s\S]*event: end\ndata: \{"status":"FAILED"\}/)
})

test('reading takes the scope to read, and changing anything the scope to write', async (t) => {
  const { request, reader } = await startApi(t)
  const writes: [string, string][] = [
    ['POST', '/dead-letters/1/replay'],
    ['POST', '/dead-letters/1/discard'],
    ['POST', `/jobs/${crypto.randomUUID()}/discard`],
    ['PUT', '/stops/posting'],
    ['DELETE', '/stops/posting'],
  ]
  for (const [method, path] of writes) {
    const answer = await request(method, path, { authorization: `Bearer ${reader.key}` })
    assert.deepEqual([answer.status, answer.body.code], [403, 'SCOPE_MISSING'], path)
  }
})
