import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { githubDescription } from '../../github/server.ts'
import { open } from './setbacks.ts'
import { checkOf, type Stack, startStack, summaryOf, threadsOf } from './stack.ts'

const skip = await githubDescription()

test('a review that the restored database does not know is found at GitHub, and not posted twice', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const stack = await startStack(t)
  const backup = await backUp(t, stack)
  const pull = open(stack, 'octo/restored')
  await stack.idle()
  const [job] = await stack.api.jobs('octo/restored')
  assert.equal(pull.reviews().length, 1)
  const told = JSON.stringify([threadsOf(pull), summaryOf(pull).body])

  await backup.restore()
  assert.deepEqual(await stack.api.jobs('octo/restored'), [], 'the database knows of nothing')
  await stack.github.webhooks.redeliver(job?.deliveryId ?? '')
  await stack.idle()

  const [again] = await stack.api.jobs('octo/restored')
  assert.deepEqual([again?.id, again?.status, again?.reviewUrl], [job?.id, 'COMPLETED', job?.reviewUrl])
  await checkOf(pull)
  assert.equal(pull.reviews().length, 1)
  assert.equal(JSON.stringify([threadsOf(pull), summaryOf(pull).body]), told)
})

/** Copies the database while the components run. To restore is to put the copy in its place, as they run on. */
async function backUp(t: TestContext, { db }: Stack): Promise<{ restore(): Promise<void> }> {
  const url = new URL(db.options.connectionString ?? '')
  const name = url.pathname.slice(1)
  const [copy, lost] = [`${name}_copy`, `${name}_lost`]
  url.pathname = '/postgres'
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  t.after(async () => {
    for (const left of [copy, lost]) await admin.query(`drop database if exists ${left} with (force)`)
    await admin.end()
  })
  /** Without sessions, and none that begin: PostgreSQL copies and renames no other. */
  const alone = async (work: () => Promise<unknown>) => {
    await admin.query(`alter database ${name} allow_connections false`)
    await admin.query('select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = $1', [
      name,
    ])
    await work()
    await admin.query(`alter database ${name} allow_connections true`)
  }
  await alone(() => admin.query(`create database ${copy} template ${name}`))
  return {
    restore: () =>
      alone(async () => {
        await admin.query(`alter database ${name} rename to ${lost}`)
        await admin.query(`alter database ${copy} rename to ${name}`)
      }),
  }
}
