import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get as httpGet } from 'node:http'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchJobs } from '../../src/api-rest/watch-jobs.ts'
import { silentLog } from '../../src/lib/log.ts'
import type { Database } from '../../src/store/database.ts'
import { listEvents } from '../../src/store/list-events.ts'
import { recordProgress } from '../../src/store/record-progress.ts'
import { revokeApiKey } from '../../src/store/revoke-api-key.ts'
import { transitionJob } from '../../src/store/transition-job.ts'
import { createDatabase, type TestDatabase } from '../support/database.ts'
import { assertValid } from './declared-answers.ts'
import { openStream } from './read-stream.ts'
import { createJob, failJob, startApi, startJob } from './start-api.ts'

const SCHEMAS: Record<string, string> = { transition: 'JobEvent', progress: 'JobEvent', end: 'JobEnd' }

async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, what)
    await sleep(10)
  }
}

test('the history of a job is told in order', async (t) => {
  const { get, pool } = await startApi(t)
  const id = await createJob(pool, { sender: 'ada' })
  await failJob(pool, id)
  const { status, body } = await get(`/jobs/${id}/events`)
  assert.equal(status, 200)
  assert.deepEqual(
    body.events.map(({ from, to, attempt, actor }: Record<string, unknown>) => [from, to, attempt, actor]),
    [
      [null, 'PENDING', 0, 'ada'],
      ['PENDING', 'PROCESSING', 1, 'worker-1'],
      ['PROCESSING', 'FAILED', 1, 'worker-1'],
    ],
  )
})

test('a stream tells the history, then what happens, and ends with the job', async (t) => {
  const { app, url, pool, reader } = await startApi(t)
  const id = await createJob(pool)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  const seen = await stream.until('transition')

  const job = await startJob(pool, id)
  seen.push(...(await stream.until('transition')))
  await recordProgress(pool, job, 'analyse', 40)
  seen.push(...(await stream.until('progress')))
  await recordProgress(pool, job, 'analyse', 60)
  seen.push(...(await stream.until('progress')))
  await transitionJob(pool, 'complete', { jobId: id, fence: job.fence, actor: 'worker-1', reason: 'posted' })
  seen.push(...(await stream.rest()))

  const ids = seen.flatMap(({ id }) => (id ? [BigInt(id)] : []))
  assert.equal(ids.length, 5)
  assert.deepEqual(
    ids,
    [...ids].sort((a, b) => (a < b ? -1 : 1)),
  )
  assert.deepEqual(
    seen.map(({ event, data }) => [event, data.progress ?? data.to ?? data.status]),
    [
      ['transition', 'PENDING'],
      ['transition', 'PROCESSING'],
      ['progress', 40],
      ['progress', 60],
      ['transition', 'COMPLETED'],
      ['end', 'COMPLETED'],
    ],
  )
  for (const { event, data } of seen)
    assertValid(app.swagger(), { $ref: `#/components/schemas/${SCHEMAS[event]}` }, data, event)
})

test('the stream of a finished job is its history and its end', async (t) => {
  const { url, pool, reader } = await startApi(t)
  const id = await createJob(pool)
  await failJob(pool, id)
  const seen = await (await openStream(`${url}/jobs/${id}/events`, reader.key)).rest()
  assert.deepEqual(
    seen.map(({ event, data }) => [event, data.to ?? data.status]),
    [
      ['transition', 'PENDING'],
      ['transition', 'PROCESSING'],
      ['transition', 'FAILED'],
      ['end', 'FAILED'],
    ],
  )
})

test('two watchers of one job are told the same, though one came late', async (t) => {
  const { url, pool, reader } = await startApi(t)
  const id = await createJob(pool)
  const early = await openStream(`${url}/jobs/${id}/events`, reader.key)
  const first = await early.until('transition')
  const { fence } = await startJob(pool, id)
  first.push(...(await early.until('transition')))

  const late = await openStream(`${url}/jobs/${id}/events`, reader.key)
  const second = await late.until('transition')
  await transitionJob(pool, 'complete', { jobId: id, fence, actor: 'worker-1', reason: 'posted' })
  first.push(...(await early.rest()))
  second.push(...(await late.rest()))

  const transitions = (events: typeof first) => events.filter(({ event }) => event === 'transition')
  assert.equal(transitions(first).length, 3)
  assert.deepEqual(transitions(first), transitions(second))
})

test('a stream resumes behind Last-Event-ID', async (t) => {
  const { get, url, pool, reader } = await startApi(t)
  const id = await createJob(pool)
  const cut = await openStream(`${url}/jobs/${id}/events`, reader.key)
  const last = (await cut.until('transition')).at(-1)?.id ?? ''
  cut.close()
  await failJob(pool, id)

  const resumed = await (
    await openStream(`${url}/jobs/${id}/events`, reader.key, { 'last-event-id': last })
  ).rest()
  assert.deepEqual(
    resumed.map(({ event, data }) => [event, data.to ?? data.status]),
    [
      ['transition', 'PROCESSING'],
      ['transition', 'FAILED'],
      ['end', 'FAILED'],
    ],
  )
  const end = resumed.findLast(({ id }) => id)?.id ?? ''
  const nothing = await (
    await openStream(`${url}/jobs/${id}/events`, reader.key, { 'last-event-id': end })
  ).rest()
  assert.deepEqual(
    nothing.map(({ event }) => event),
    ['end'],
  )

  const fresh = await openStream(`${url}/jobs/${id}/events`, reader.key, { 'last-event-id': '' })
  assert.equal((await fresh.rest()).length, 4)

  for (const bad of ['x', '-1', '1'.repeat(19)]) {
    const { status, body } = await get(`/jobs/${id}/events`, { 'last-event-id': bad })
    assert.equal(status, 400)
    assert.match(body.detail, /^last-event-id must be/)
  }
})

test('a replayed job is watched through its new run', async (t) => {
  const { url, post, pool, reader } = await startApi(t)
  const id = await createJob(pool)
  await failJob(pool, id)
  await post(`/jobs/${id}/replay`)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  for (let transitions = 0; transitions < 4; transitions++) await stream.until('transition')
  await post(`/jobs/${id}/cancel`)
  assert.deepEqual((await stream.rest()).at(-1), { event: 'end', data: { status: 'CANCELLED' } })
})

test('a quiet stream shows that it lives', async (t) => {
  const { url, pool, reader } = await startApi(t, { heartbeatMs: 20 })
  const id = await createJob(pool)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  await stream.until('comment')
  await stream.until('comment')
  stream.close()
})

test('the stream of a revoked key ends', async (t) => {
  const { url, pool, reader } = await startApi(t, { heartbeatMs: 20 })
  const id = await createJob(pool)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  await stream.until('comment')
  await revokeApiKey(pool, reader.id)
  assert.ok((await stream.rest()).every(({ event }) => event !== 'end'))
})

test('streams outlive a database that goes away and comes back', async (t) => {
  let away = false
  const { url, pool, reader } = await startApi(t, {}, (db) => ({
    query: (sql, values) =>
      away ? Promise.reject(new Error('Connection terminated unexpectedly')) : db.query(sql, values),
  }))
  const id = await createJob(pool)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  await stream.until('transition')
  away = true
  await failJob(pool, id)
  await sleep(50)
  away = false
  assert.deepEqual(
    (await stream.rest()).map(({ event, data }) => [event, data.to ?? data.status]),
    [
      ['transition', 'PROCESSING'],
      ['transition', 'FAILED'],
      ['end', 'FAILED'],
    ],
  )
})

test('a job that ends in the middle of a poll is told in full before its end', async (t) => {
  // One of the two comes second in a round, and must not see an end that the first has missed.
  for (const query of ['unnest', 'any($1)']) {
    let finish: (() => Promise<unknown>) | undefined
    const { url, pool, reader } = await startApi(t, {}, (db) => ({
      query: async (sql, values) => {
        if (sql.includes(query)) await finish?.()
        return db.query(sql, values)
      },
    }))
    const id = await createJob(pool)
    const { fence } = await startJob(pool, id)
    const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
    await stream.until('transition')
    await stream.until('transition')
    finish = () => transitionJob(pool, 'complete', { jobId: id, fence, actor: 'worker-1', reason: 'posted' })
    assert.deepEqual(
      (await stream.rest()).map(({ event, data }) => [event, data.progress ?? data.to ?? data.status]),
      [
        ['transition', 'COMPLETED'],
        ['end', 'COMPLETED'],
      ],
    )
  }
})

test('a job that is replayed in the middle of a poll is watched on', async (t) => {
  let replay: (() => Promise<unknown>) | undefined
  const { url, post, pool, reader } = await startApi(t, {}, (db) => ({
    query: async (sql, values) => {
      if (sql.includes('unnest')) {
        await replay?.()
        replay = undefined
      }
      return db.query(sql, values)
    },
  }))
  const id = await createJob(pool)
  await failJob(pool, id)
  replay = () => transitionJob(pool, 'replay', { jobId: id, actor: 'ada', reason: 'replayed' })
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  for (let transitions = 0; transitions < 4; transitions++) await stream.until('transition')
  await post(`/jobs/${id}/cancel`)
  assert.deepEqual(
    (await stream.rest()).map(({ data }) => data.to ?? data.status),
    ['CANCELLED', 'CANCELLED'],
  )
})

test('a watcher that is further along hides nothing from one that has just come', {
  timeout: 30_000,
}, async (t) => {
  const { pool } = await createDatabase(t)
  const watch = watchJobs(pool, silentLog, 10)
  t.after(() => watch.close())
  const told = (jobId: string, after: string) =>
    new Promise<string[]>((resolve) => {
      const ids: string[] = []
      const onEnd = () => resolve(ids)
      watch.add({ jobId, after, onEvent: ({ id }) => void ids.push(id), onEnd })
    })
  const waiting = await createJob(pool)
  void told(waiting, '0') // Keeps the poller going, so that the next two meet in one round.
  const failed = await createJob(pool)
  await failJob(pool, failed)
  const all = (await listEvents(pool, [{ jobId: failed, after: '0' }])).map(({ id }) => id)

  const [fresh, ahead] = await Promise.all([told(failed, '0'), told(failed, all[1] ?? '')])
  assert.deepEqual(fresh, all)
  assert.deepEqual(ahead, all.slice(2))
})

test('50 watchers share one poller, which holds no connection, and rests when they are gone', async (t) => {
  /** How many jobs each poll asked for. */
  const polls: number[] = []
  let running = 0
  let mostAtOnce = 0
  const counting = (db: Database): Database => ({
    query: async (sql, values) => {
      if (!sql.includes('unnest')) return db.query(sql, values)
      const [jobIds] = values as [string[], string[]]
      polls.push(jobIds.length)
      running += 1
      mostAtOnce = Math.max(mostAtOnce, running)
      return db.query<never>(sql, values).finally(() => {
        running -= 1
      })
    },
  })
  const { url, pool, reader } = await startApi(t, {}, counting)
  const ids = await Promise.all(Array.from({ length: 25 }, () => createJob(pool)))
  const streams = await Promise.all(
    [...ids, ...ids].map((id) => openStream(`${url}/jobs/${id}/events`, reader.key)),
  )
  await Promise.all(streams.map((stream) => stream.until('transition')))
  await eventually(() => polls.at(-1) === 25, 'one poll should ask for all 25 jobs of the 50 watchers')
  assert.equal(mostAtOnce, 1)
  assert.equal(pool.waitingCount, 0)

  for (const stream of streams) stream.close()
  await eventually(async () => {
    const before = polls.length
    await sleep(300) // 30 rounds
    return polls.length === before
  }, 'the poller should rest once nobody watches')
})

/** A job with a history of this many megabytes, in events of half a megabyte. */
async function createLongHistory(pool: TestDatabase['pool'], megabytes: number): Promise<string> {
  const jobId = await createJob(pool)
  for (let round = 0; round < megabytes; round++) {
    const { fence } = await startJob(pool, jobId, 'w'.repeat(500_000))
    const reason = 'r'.repeat(500_000)
    await transitionJob(pool, 'handBack', { jobId, fence, actor: 'worker-1', reason })
  }
  return jobId
}

test('a client that does not read is dropped', async (t) => {
  const { app, url, pool, reader } = await startApi(t, { heartbeatMs: 100 })
  // More than the kernel's socket buffers take.
  const id = await createLongHistory(pool, 20)
  const headers = { authorization: `Bearer ${reader.key}`, accept: 'text/event-stream' }
  const request = httpGet(`${url}/jobs/${id}/events`, { headers, agent: false })
  const [response] = await once(request, 'response')
  response.pause()
  response.on('error', () => {}) // It is cut: that is the point.

  const open = () =>
    new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count)))
  await eventually(async () => (await open()) === 0, 'the stream should be cut')
  request.destroy()
})

test('a client that reads is told even a long history in full', async (t) => {
  const { url, pool, reader } = await startApi(t)
  const id = await createLongHistory(pool, 3)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  for (let transitions = 0; transitions < 7; transitions++) await stream.until('transition')
  stream.close()
})

test('closing the API ends its streams, without saying that their jobs did', async (t) => {
  const { app, url, pool, reader } = await startApi(t)
  const id = await createJob(pool)
  const stream = await openStream(`${url}/jobs/${id}/events`, reader.key)
  await stream.until('transition')
  await app.close()
  assert.deepEqual(await stream.rest(), [])
})
