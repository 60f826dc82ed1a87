import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import amqp from 'amqplib'
import { declareTopology, JOBS_QUEUE } from '../../../src/jobs/topology.ts'
import { githubDescription } from '../../github/server.ts'
import { kodus } from '../../support/kodus.ts'
import { createVhost, skipWithoutRabbitmq } from '../../support/rabbitmq.ts'
import { FLAWED } from '../../worker/github-worker.ts'
import { type Stack, startStack, until } from './stack.ts'

const skip = await githubDescription()
const timeout = 180_000

/** The command line, at the installation of a stack. */
function operatorOf({ db }: Stack) {
  const { connectionString = '' } = db.options
  return async (...args: string[]) => {
    const { code, stdout, stderr } = await kodus(args, { DATABASE_URL: connectionString })
    assert.equal(code, 0, stderr)
    return stdout
  }
}

test('posting is stopped and resumed at the command line: the review waits, and is posted once', {
  skip,
  timeout,
}, async (t: TestContext) => {
  const stack = await startStack(t)
  const operator = operatorOf(stack)
  await operator('posting', 'stop', '--reason', 'GitHub moves')
  const shop = stack.github.createRepository('octo/shop', { files: { 'README.md': 'A shop.\n' } })
  shop.setPermission('mona', 'write')
  shop.commit('feature', FLAWED, { by: 'mona' })
  const pull = shop.openPullRequest({ head: 'feature', author: 'mona' })

  const reason = `select e.reason from workflow_job_events e join workflow_jobs j on j.id = e.job_id
    where j.status = 'PENDING' and e.to_status = 'PENDING' order by e.id desc limit 1`
  await until(async () => /POSTING_STOPPED/.test((await stack.db.query(reason)).rows[0]?.reason ?? ''))
  assert.match(await operator('jobs', 'status'), /posting +stopped since .*: GitHub moves\nwaiting +1\n/)
  assert.deepEqual(
    [pull.reviews().length, pull.comments().length, shop.checkRuns(pull.head()).length],
    [0, 0, 0],
  )

  await operator('posting', 'resume')
  await stack.idle()
  assert.deepEqual([pull.reviews().length, pull.comments().length], [1, 1])
})

test('jobs are paused and resumed at the command line: nothing is claimed meanwhile', {
  skip,
  timeout,
}, async (t: TestContext) => {
  const stack = await startStack(t)
  const operator = operatorOf(stack)
  await operator('jobs', 'pause')
  const shop = stack.github.createRepository('octo/shop', { files: { 'README.md': 'A shop.\n' } })
  shop.commit('feature', FLAWED, { by: 'mona' })
  shop.openPullRequest({ head: 'feature', author: 'mona' })
  await stack.github.webhooks.settled()
  const [job] = await stack.api.jobs('octo/shop')
  assert.deepEqual([job?.status, job?.attempts], ['PENDING', 0])

  await operator('jobs', 'resume')
  await stack.idle()
  assert.equal((await stack.api.jobs('octo/shop'))[0]?.status, 'COMPLETED')
})

test('a message that no worker can read is listed at the command line, and put aside', {
  skip: skip || skipWithoutRabbitmq,
  timeout,
}, async (t: TestContext) => {
  const url = await createVhost()
  const connection = await amqp.connect(url)
  await declareTopology(connection)
  const channel = await connection.createConfirmChannel()
  channel.sendToQueue(JOBS_QUEUE, Buffer.from('{"jobId":'))
  await channel.waitForConfirms()
  await connection.close()
  const stack = await startStack(t, { RABBITMQ_URL: url })
  const operator = operatorOf(stack)
  await until(async () => (await operator('jobs', 'dead')).includes('message of workflow.jobs.queue'))
  await operator('jobs', 'discard', '--all')
  assert.match(await operator('jobs', 'dead'), /^Nothing has failed/)
})
