import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { Database } from '../../src/store/database.ts'
import { getDeadLetter } from '../../src/store/get-dead-letter.ts'
import { type DeadMessage, keepDeadLetter, MAX_KEPT_BYTES } from '../../src/store/keep-dead-letter.ts'
import { listDeadLetters } from '../../src/store/list-dead-letters.ts'
import { settleDeadLetter } from '../../src/store/settle-dead-letter.ts'
import { createDatabase } from '../support/database.ts'

function aMessage(over: Partial<DeadMessage> = {}): DeadMessage {
  return {
    queue: 'workflow.jobs.queue',
    routingKey: 'workflow.jobs.created.code-review',
    reason: 'rejected',
    messageId: null,
    body: Buffer.from('{"jobId":'),
    ...over,
  }
}

async function listed(db: Database) {
  return (await listDeadLetters(db, { limit: 100 })).letters
}

test('a dead letter that comes twice is kept once; from elsewhere, or of other bytes, it is another', async (t) => {
  const { pool: db } = await createDatabase(t)
  const [first, second] = await Promise.all([keepDeadLetter(db, aMessage()), keepDeadLetter(db, aMessage())])
  assert.equal(first, second)
  await keepDeadLetter(db, aMessage({ queue: 'workflow.intake.queue' }))
  await keepDeadLetter(db, aMessage({ body: Buffer.from('{"jobId":1') }))
  assert.equal((await listed(db)).length, 3)
})

test('bytes of any kind, none at all, and names with a NUL in them are kept', async (t) => {
  const { pool: db } = await createDatabase(t)
  for (const body of [
    Buffer.alloc(0),
    Buffer.alloc(4),
    Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
    randomBytes(1000),
  ]) {
    const names = { routingKey: 'a\0b', messageId: '\0', reason: 'c\0' }
    const id = await keepDeadLetter(db, aMessage({ body, ...names }))
    assert.deepEqual((await getDeadLetter(db, id))?.body, body)
  }
  assert.deepEqual(
    (await listed(db)).map(({ routingKey, bytes }) => [routingKey, bytes]),
    [1000, 4, 4, 0].map((bytes) => ['ab', bytes]),
  )
})

test('of a body that is none of ours by its size the beginning is kept, and this is said', async (t) => {
  const { pool: db } = await createDatabase(t)
  const body = Buffer.alloc(3 * MAX_KEPT_BYTES, 'x')
  const other = Buffer.concat([body.subarray(1), Buffer.from('y')])
  const id = await keepDeadLetter(db, aMessage({ body }))
  assert.notEqual(
    await keepDeadLetter(db, aMessage({ body: other })),
    id,
    'they are told apart by what is not kept too',
  )
  const letter = (await listed(db)).find((each) => each.id === id)
  assert.equal(letter?.bytes, MAX_KEPT_BYTES)
  assert.equal(letter?.reason, `rejected; kept are the first ${MAX_KEPT_BYTES} of its ${body.length} bytes`)
})

test('what a person settled is listed no more, is settled once, and is open again when it comes again', async (t) => {
  const { pool: db } = await createDatabase(t)
  const id = await keepDeadLetter(db, aMessage())
  const settle = () => settleDeadLetter(db, { id, outcome: 'discarded', actor: 'mona' })
  const answers = await Promise.all([settle(), settle(), settle()])
  assert.equal(answers.filter(Boolean).length, 1)
  assert.deepEqual(await listed(db), [])
  assert.ok((await getDeadLetter(db, id))?.settledAt)

  assert.equal(await keepDeadLetter(db, aMessage()), id)
  assert.deepEqual(
    (await listed(db)).map((letter) => letter.id),
    [id],
  )
})

test('dead letters are listed newest first, a page at a time, and none twice', async (t) => {
  const { pool: db } = await createDatabase(t)
  const ids: string[] = []
  for (let n = 1; n <= 5; n++) ids.unshift(await keepDeadLetter(db, aMessage({ body: Buffer.from(`${n}`) })))
  const seen: string[] = []
  let before: string | undefined
  do {
    const { letters, next } = await listDeadLetters(db, { before, limit: 2 })
    seen.push(...letters.map(({ id }) => id))
    before = next
  } while (before)
  assert.deepEqual(seen, ids)
})
