import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Aws, startAws } from './aws-server.ts'
import { Fault } from './operations.ts'
import { kodus } from './run-cli.ts'
import { rolledBackByBreaker, succeeds } from './scripts.ts'
import { addRevision, beginDeployment, digest, image, REPOSITORY, revision } from './world.ts'

const PARAMETER = '/kodus/production/worker/image'

function asked(aws: Aws, operation: string) {
  return aws.requests.filter((each) => each.operation === operation).map(({ input }) => input)
}

describe('kodus deploy', { concurrency: 2 }, () => {
  test('succeeds when ECS has completed the deployment and all tasks run, and records and prints the image', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    const { code, stdout, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('c')])
    assert.equal(code, 0, stderr)
    assert.equal(stdout, `${image('c')}\n`)
    assert.equal(aws.world.parameters.get(PARAMETER), image('c'))
    assert.deepEqual(aws.world.ahead, [], 'it has looked until the last task ran')
    assert.equal(aws.world.service?.taskDefinition, revision(13))
  })

  test('registers the revision that runs with one image changed, and keeps what it does not know', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    aws.unheardOf = new Set(['settingOfNextYear'])
    const { taskDefinition } = aws.world.taskDefinitions.get(revision(12)) ?? assert.fail()
    taskDefinition.settingOfNextYear = { of: 'the task' }
    for (const container of taskDefinition.containerDefinitions) container.settingOfNextYear = true
    const { code, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('c')])
    assert.equal(code, 0, stderr)

    const { taskDefinitionArn, revision: _, status, compatibilities, ...kept } = taskDefinition
    const { requiresAttributes, registeredAt, registeredBy, containerDefinitions, ...same } = kept
    const [worker, router] = containerDefinitions
    assert.deepEqual(asked(aws, 'RegisterTaskDefinition'), [
      {
        ...same,
        containerDefinitions: [{ ...worker, image: image('c') }, router],
        tags: [{ key: 'kodus:component', value: 'worker' }],
      },
    ])
  })

  test('changes that one service, and of it the task definition alone', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    await kodus(aws, ['deploy', 'worker', '--image', image('c')])
    assert.deepEqual(asked(aws, 'UpdateService'), [
      { cluster: 'kodus-cluster', service: 'kodus-worker-service', taskDefinition: revision(13) },
    ])
  })

  test('takes a digest alone from the repository of the component, and drops a tag before a digest', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    const alone = await kodus(aws, ['deploy', 'worker', '--image', digest('c')])
    assert.equal(alone.stdout, `${image('c')}\n`)
    const tagged = await kodus(aws, ['deploy', 'worker', '--image', `${REPOSITORY}:1.2.3@${digest('a')}`])
    assert.equal(tagged.stdout, `${image('a')}\n`)
  })

  test('tells counts and events as they come, each once, and none from before', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    const { stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('c')])
    const times = (words: string) => stderr.split(words).length - 1
    assert.equal(times('has reached a steady state'), 1)
    assert.equal(times('kodus-worker:13: 0 running, 3 pending, 0 failed, of 3; 3 of kodus-worker:12'), 1)
    assert.equal(
      times('kodus-worker:13: 3 running, 0 pending, 0 failed, of 3'),
      3,
      'with those of before, alone, and again after one was missing',
    )
    assert.equal(times('last week'), 0)
    assert.ok(stderr.indexOf('has started 3 tasks') < stderr.indexOf('steady state'))
  })

  test('has nothing to do where the image runs already', async (t) => {
    const aws = await startAws(t)
    const { code, stdout, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('b')])
    assert.equal(code, 0, stderr)
    assert.equal(stdout, `${image('b')}\n`)
    assert.deepEqual([...asked(aws, 'RegisterTaskDefinition'), ...asked(aws, 'UpdateService')], [])
  })

  test('is not misled by an answer of ECS from before the update', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    aws.world.staleLooks = 3
    const { code, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('c')])
    assert.equal(code, 0, stderr)
  })

  test('is not misled by a service that still names the rollback before as its deployment', async (t) => {
    const aws = await startAws(t)
    aws.world.script = rolledBackByBreaker
    assert.equal((await kodus(aws, ['deploy', 'worker', '--image', image('c')])).code, 1)
    const { service, history } = aws.world
    const before = history.at(-1)
    assert.equal(before?.status, 'ROLLBACK_IN_PROGRESS')
    const named: string[] = []
    const still: (typeof succeeds)[number] = () => {
      if (service && before) service.currentServiceDeployment = before.serviceDeploymentArn
      named.push('named')
    }
    aws.world.script = [still, ...succeeds]
    const { code, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('a')])
    assert.equal(code, 0, stderr)
    assert.deepEqual(named, ['named'])
  })

  for (const operation of ['DescribeServices', 'RegisterTaskDefinition', 'UpdateService', 'PutParameter']) {
    test(`asks again when ${operation} is throttled, or its answer is lost, and deploys once`, async (t) => {
      const aws = await startAws(t)
      aws.world.script = succeeds
      aws.misbehave({ operation, times: 1, answer: new Fault('ThrottlingException', 'Rate exceeded') })
      aws.misbehave({ operation, times: 1, answer: 'lost answer' })
      const known = aws.world.history.length
      const { code, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('c')])
      assert.equal(code, 0, stderr)
      assert.equal(aws.world.history.length, known + 1)
    })
  }

  test('does without the history where that may not be read', async (t) => {
    const aws = await startAws(t)
    aws.world.script = succeeds
    const answer = new Fault(
      'AccessDeniedException',
      'User is not authorized to perform: ecs:DescribeServiceDeployments',
    )
    aws.misbehave({ operation: 'DescribeServiceDeployments', times: Number.POSITIVE_INFINITY, answer })
    const { code, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('c')])
    assert.equal(code, 0, stderr)
    assert.equal(asked(aws, 'DescribeServiceDeployments').length, 1)
  })

  test('--follow joins what is being deployed, and records its image when it has succeeded', async (t) => {
    const aws = await startAws(t)
    const { world } = aws
    addRevision(world, 13, image('c'))
    if (world.service) world.scripted = beginDeployment(world, world.service, revision(13)).id
    world.ahead = [...succeeds]
    const { code, stdout, stderr } = await kodus(aws, ['deploy', 'worker', '--follow'])
    assert.equal(code, 0, stderr)
    assert.equal(stdout, `${image('c')}\n`)
    assert.equal(world.parameters.get(PARAMETER), image('c'))
    assert.deepEqual(asked(aws, 'UpdateService'), [])
  })

  test('--first records the image of a service that does not exist, in a cluster that does not either', async (t) => {
    for (const cluster of ['kodus-cluster', 'not-yet']) {
      const aws = await startAws(t)
      aws.world.service = undefined
      const where = ['--env', 'staging', '--cluster', cluster]
      const { code, stderr } = await kodus(aws, [
        'deploy',
        'worker',
        '--first',
        '--image',
        digest('c'),
        ...where,
      ])
      assert.equal(code, 0, stderr)
      assert.equal(aws.world.parameters.get('/kodus/staging/worker/image'), image('c'))
      assert.equal(aws.world.parameters.get(PARAMETER), image('b'), 'production is another installation')
    }
  })
})
