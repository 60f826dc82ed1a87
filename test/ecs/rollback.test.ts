import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startAws } from './aws-server.ts'
import { kodus } from './run-cli.ts'
import { rolledBackByBreaker, succeeds } from './scripts.ts'
import { addRevision, image, revision } from './world.ts'

const PARAMETER = '/kodus/production/worker/image'

describe('kodus rollback', { concurrency: 2 }, () => {
  test('puts back what the history has as deployed before, says so, and records its image', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    const { code, stdout, stderr } = await kodus(aws, ['rollback', 'worker'])
    assert.equal(code, 0, stderr)
    assert.equal(stdout, `${image('a')}\n`)
    assert.match(
      stderr,
      /From kodus-worker:12 back to kodus-worker:11: the service's history has it as successfully deployed on 2026-/,
    )
    assert.equal(aws.world.service?.taskDefinition, revision(11))
    assert.equal(aws.world.parameters.get(PARAMETER), image('a'))
    assert.ok(!aws.requests.some(({ operation }) => operation === 'RegisterTaskDefinition'))
  })

  test('does not put back a revision that was itself rolled back', async (t) => {
    const aws = await startAws(t)
    aws.world.script = rolledBackByBreaker
    assert.equal((await kodus(aws, ['deploy', 'worker', '--image', image('c')])).code, 1)
    aws.world.script = succeeds
    const { code, stderr } = await kodus(aws, ['rollback', 'worker'])
    assert.equal(code, 0, stderr)
    assert.equal(aws.world.service?.taskDefinition, revision(11))
  })

  test('takes the family’s revision before where the history’s was deregistered, and says what that is worth', async (t) => {
    const aws = await startAws(t)
    addRevision(aws.world, 10, image('c'))
    aws.world.script = succeeds
    const { taskDefinition } = aws.world.taskDefinitions.get(revision(11)) ?? assert.fail()
    taskDefinition.status = 'INACTIVE'
    const { code, stderr } = await kodus(aws, ['rollback', 'worker'])
    assert.equal(code, 0, stderr)
    assert.match(stderr, /back to kodus-worker:10: .*not known whether it ever ran/)
    assert.equal(aws.world.parameters.get(PARAMETER), image('c'))
  })

  test('does not take a revision of another launch type', async (t) => {
    const aws = await startAws(t)
    addRevision(aws.world, 9, image('a'))
    addRevision(aws.world, 10, image('c')).requiresCompatibilities = ['EC2']
    aws.world.script = succeeds
    const { taskDefinition } = aws.world.taskDefinitions.get(revision(11)) ?? assert.fail()
    taskDefinition.status = 'INACTIVE'
    const { code, stderr } = await kodus(aws, ['rollback', 'worker'])
    assert.equal(code, 0, stderr)
    assert.equal(aws.world.service?.taskDefinition, revision(9))
  })

  test('changes nothing where there is nothing before', async (t) => {
    const aws = await startAws(t)
    aws.world.history = aws.world.history.slice(-1)
    aws.world.taskDefinitions.delete(revision(11))
    const { code, stderr } = await kodus(aws, ['rollback', 'worker'])
    assert.equal(code, 2, stderr)
    assert.match(stderr, /^NOTHING_TO_ROLL_BACK_TO: /m)
    assert.ok(!aws.requests.some(({ operation }) => operation === 'UpdateService'))
  })

  test('does not succeed when what it put back does not run either', async (t) => {
    const aws = await startAws(t)
    aws.world.script = rolledBackByBreaker
    const { code, stderr } = await kodus(aws, ['rollback', 'worker'])
    assert.equal(code, 1, stderr)
    assert.match(stderr, /^DEPLOYMENT_ROLLED_BACK: kodus-worker:11 was rolled back to kodus-worker:12/m)
    assert.equal(aws.world.parameters.get(PARAMETER), image('b'))
  })
})
