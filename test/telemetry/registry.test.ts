import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { pino } from 'pino'
import { silentLog } from '../../src/lib/log.ts'
import { counter, gauge, histogram, total } from '../../src/lib/telemetry/instrument.ts'
import { createRegistry } from '../../src/lib/telemetry/registry.ts'

test('a registry counts from its beginning to its end, whoever else counts', async () => {
  const done = counter('test.done', { unit: '{thing}', help: 'Done.', labels: ['how'] })
  const first = createRegistry([done], silentLog)
  done.add({ how: 'well' })
  const second = createRegistry([done], silentLog)
  done.add({ how: 'well' }, 2)
  done.add({ how: 'badly' })
  first.close()
  done.add({ how: 'well' })
  const [one] = await first.collect()
  assert.deepEqual(
    one?.series.map(({ labels, value }) => [...labels, value]),
    [
      ['well', 3],
      ['badly', 1],
    ],
  )
  const [two] = await second.collect()
  assert.deepEqual(
    two?.series.map(({ labels, value }) => [...labels, value]),
    [
      ['well', 3],
      ['badly', 1],
    ],
  )
  second.close()
})

test('a value falls into the first bucket that it does not exceed', async () => {
  const took = histogram('test.took', { unit: 's', help: 'Took.', buckets: [0.1, 1] })
  const registry = createRegistry([took], silentLog)
  for (const value of [0, 0.1, 0.11, 1, 1.01, 50]) took.record({}, value)
  const [family] = await registry.collect()
  assert.deepEqual(family?.series[0]?.counts, [2, 2, 2])
  registry.close()
})

test('a counter without labels is there, at 0, before anything is counted', async () => {
  const never = counter('test.never', { unit: '{thing}', help: 'Never.' })
  const registry = createRegistry([never], silentLog)
  assert.deepEqual((await registry.collect())[0]?.series, [{ labels: [], value: 0, counts: [] }])
  registry.close()
})

test('a label that is not from a closed set cannot fill the memory, and nothing goes uncounted', async () => {
  const open = counter('test.open', { unit: '{thing}', help: 'Open.', labels: ['id', 'kind'] })
  const registry = createRegistry([open], silentLog)
  for (let id = 0; id < 5_000; id++) open.add({ id: String(id), kind: 'k' })
  const series = (await registry.collect())[0]?.series ?? []
  assert.equal(series.length, 2_001)
  assert.deepEqual(series.at(-1), { labels: ['overflow', 'overflow'], value: 3_000, counts: [] })
  registry.close()
})

test('a gauge tells what stands now: what nobody observes any more is gone', async () => {
  const depth = gauge('test.depth', { unit: '{thing}', help: 'Depth.', labels: ['queue'] })
  const sum = total('test.sum', { unit: 's', help: 'Sum.' })
  const registry = createRegistry([depth, sum], silentLog)
  let queues = ['a', 'b']
  registry.observe('queues', () => [...queues.map((queue) => depth.is(1, { queue })), sum.is(7, {})])
  assert.equal((await registry.collect())[0]?.series.length, 2)
  queues = ['b']
  const [family, summed] = await registry.collect()
  assert.deepEqual(
    family?.series.map(({ labels }) => labels),
    [['b']],
  )
  assert.equal(summed?.series[0]?.value, 7, 'a total is told, not added up')
  registry.close()
})

test('what cannot be observed is left out, logged once, and keeps nothing else from being told', async () => {
  const good = gauge('test.good', { unit: '{thing}', help: 'Good.' })
  const bad = gauge('test.bad', { unit: '{thing}', help: 'Bad.' })
  const { log, lines } = listeningLog()
  const registry = createRegistry([good, bad], log)
  registry.observe('the bad', () => Promise.reject(new Error('no database')))
  registry.observe('the thrown', () => {
    throw new Error('thrown')
  })
  registry.observe('the good', () => [good.is(1, {}), bad.is(Number.NaN, {})])
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(
      (await registry.collect()).map(({ definition }) => definition.name),
      ['test.good'],
    )
  }
  assert.deepEqual(lines.sort(), ['not measured (the bad): no database', 'not measured (the thrown): thrown'])
  registry.close()
})

test('who asks while others wait gets their answer: a source is asked once', async () => {
  const one = gauge('test.one', { unit: '{thing}', help: 'One.' })
  const registry = createRegistry([one], silentLog)
  let asked = 0
  registry.observe('one', async () => [one.is(++asked, {})])
  await Promise.all([registry.collect(), registry.collect(), registry.collect()])
  assert.equal(asked, 1)
  await registry.collect()
  assert.equal(asked, 2)
  registry.close()
})

function listeningLog() {
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)).msg)
      done()
    },
  })
  return { log: pino(stream), lines }
}
