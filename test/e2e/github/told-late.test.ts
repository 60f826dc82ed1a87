import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { freePort } from '../../../src/cli/stack/free-port.ts'
import { createApiKey } from '../../../src/store/create-api-key.ts'
import { githubDescription, type PullRequest } from '../../github/server.ts'
import { fails } from '../../support/llm-server.ts'
import { prepareStrikes } from '../../support/strike.ts'
import { newestJob, open, told } from './setbacks.ts'
import { checkOf, type Stack, startStack, until } from './stack.ts'

const skip = await githubDescription()
const timeout = 180_000

const UNAUTHORIZED = fails(401, { message: 'Incorrect API key provided', code: 'invalid_api_key' })

test('a worker is killed when it has recorded a failure: another shows it', {
  skip,
  timeout,
}, async (t: TestContext) => {
  const repository = 'octo/killed'
  const armory = prepareStrikes(t)
  const stack = await startStack(t, { ...armory.env, WORKER_SLOTS: '1' })
  stack.model.behave(UNAUTHORIZED)
  const strike = armory.arm({ at: 'job-ended', signal: 'SIGKILL', repository })
  const pull = open(stack, repository)
  await strike.struck()
  assert.equal((await newestJob(stack, repository)).status, 'FAILED')
  assert.deepEqual(titlesOf(pull), ['Reviewing'])

  await stack.startWorker()
  // As if the first one's minute had passed.
  await stack.db.query('update untold_jobs set tell_at = now()')
  const { conclusion, output } = await checkOf(pull)
  assert.match(output.title, /^Not reviewed: /)
  assert.equal(conclusion, 'neutral')
  await until(() => nothingUntold(stack))
  assert.equal(told(stack, repository, output.title).length, 1)
})

test('a job is cancelled over the API while it waits to be tried again: it is shown as cancelled', {
  skip,
  timeout,
}, async (t: TestContext) => {
  const repository = 'octo/waiting'
  const stack = await startStack(t)
  stack.model.behave(fails(503, {}, { 'retry-after': '600' }))
  const pull = open(stack, repository)
  await until(() => titlesOf(pull)[0] === 'Waiting')
  await until(() => nothingUntold(stack))

  const { id } = await newestJob(stack, repository)
  assert.equal(await cancel(stack, id), 200)
  const { conclusion, output } = await checkOf(pull)
  assert.deepEqual([conclusion, output.title], ['neutral', 'Cancelled'])
  await until(() => nothingUntold(stack))
  assert.equal(told(stack, repository, 'Cancelled').length, 1)
})

function titlesOf(pull: PullRequest): string[] {
  return pull.repository.checkRuns(pull.head()).map(({ output }) => output.title)
}

async function nothingUntold({ db }: Stack): Promise<boolean> {
  return (await db.query('select from untold_jobs')).rowCount === 0
}

async function cancel(stack: Stack, jobId: string): Promise<number> {
  const port = await freePort()
  await stack.start('api', (env) => ({ ...env, API_PORT: String(port) }))
  const { key } = await createApiKey(stack.db, { name: 'operator', scopes: ['write'] })
  const { status } = await fetch(`http://127.0.0.1:${port}/jobs/${jobId}/cancel`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
  })
  return status
}
