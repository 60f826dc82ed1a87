import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Aws, startAws } from './aws-server.ts'
import { Fault } from './operations.ts'
import { kodus, startKodus } from './run-cli.ts'
import {
  deleted,
  failsAndStays,
  neverEnds,
  rolledBackByAlarm,
  rolledBackByBreaker,
  rolledBackUnseen,
  stopped,
  supersededBy,
  switchedOff,
} from './scripts.ts'
import { image, revision, type Step } from './world.ts'

const DEPLOY = ['deploy', 'worker', '--image', image('c')]
const ALWAYS = Number.POSITIVE_INFINITY
const DENIED = new Fault(
  'AccessDeniedException',
  'User: arn:aws:sts::123456789012:assumed-role/ci/run is not authorized to perform: ecs:DescribeServiceDeployments on resource: * because no identity-based policy allows it',
)

/** Says so, exits with 1, and leaves the image recorded that was. */
async function fails(aws: Aws, code: string, words: RegExp[], args = DEPLOY): Promise<void> {
  const ran = await kodus(aws, args)
  assert.equal(ran.code, 1, ran.stderr)
  assert.equal(ran.stdout, '')
  for (const each of [new RegExp(`^${code}: `, 'm'), ...words]) assert.match(ran.stderr, each)
  assert.equal(aws.world.parameters.get('/kodus/production/worker/image'), image('b'))
}

const ENDS: { ends: string; script: Step[]; code: string; words: RegExp[] }[] = [
  {
    ends: 'the circuit breaker rolled back',
    script: rolledBackByBreaker,
    code: 'DEPLOYMENT_ROLLED_BACK',
    words: [
      /kodus-worker:13 was rolled back to kodus-worker:12\. ECS says: ECS deployment circuit breaker: tasks failed to start/,
      /Stopped task: Essential container in task exited; worker exit code 2$/m,
      /deployment failed: tasks failed to start/,
      /aws logs tail \/ecs\/kodus-worker/,
    ],
  },
  {
    ends: 'an alarm rolled back',
    script: rolledBackByAlarm,
    code: 'DEPLOYMENT_ROLLED_BACK',
    words: [/ECS says: ECS deployment failed: alarm detected\. \(worker-jobs-failing\)/],
  },
  {
    ends: 'was rolled back between two looks',
    script: rolledBackUnseen,
    code: 'DEPLOYMENT_ROLLED_BACK',
    words: [/kodus-worker:13 was rolled back to kodus-worker:12/, /tasks failed to start/],
  },
  {
    ends: 'failed and was not rolled back',
    script: failsAndStays,
    code: 'DEPLOYMENT_FAILED',
    words: [/tasks failed to start/, /kodus rollback worker/],
  },
  {
    ends: 'another one superseded',
    script: supersededBy(revision(11)),
    code: 'DEPLOYMENT_SUPERSEDED',
    words: [/kodus-worker:13 was superseded by kodus-worker:11/],
  },
  {
    ends: 'somebody stopped',
    script: stopped,
    code: 'DEPLOYMENT_STOPPED',
    words: [/ECS says: Stopped by user request/],
  },
  {
    ends: 'lost all its tasks to a desired count of 0',
    script: switchedOff,
    code: 'DEPLOYMENT_WITHOUT_TASKS',
    words: [/desired count 0/, /--desired-count 1/],
  },
  { ends: 'lost its service', script: deleted, code: 'SERVICE_GONE', words: [/was deleted/] },
]

describe('kodus deploy does not succeed', { concurrency: 2 }, () => {
  for (const { ends, script, code, words } of ENDS) {
    test(`with a deployment that ${ends}`, async (t) => {
      const aws = await startAws(t)
      aws.world.script = script
      await fails(aws, code, words)
    })
  }

  test('with a rollback that only the service tells of', async (t) => {
    const aws = await startAws(t)
    aws.world.script = rolledBackByBreaker
    aws.misbehave({ operation: 'DescribeServiceDeployments', times: ALWAYS, answer: DENIED })
    await fails(aws, 'DEPLOYMENT_ROLLED_BACK', [/rolled back to kodus-worker:12/])
  })

  test('with a rollback that was over between two looks, and is told of by nothing', async (t) => {
    const aws = await startAws(t)
    aws.world.script = rolledBackUnseen
    aws.misbehave({ operation: 'DescribeServiceDeployments', times: ALWAYS, answer: DENIED })
    await fails(aws, 'DEPLOYMENT_SUPERSEDED', [/superseded by kodus-worker:12/])
  })

  test('with a rollback that it is told to follow', async (t) => {
    const aws = await startAws(t)
    aws.world.script = rolledBackByBreaker
    await fails(aws, 'DEPLOYMENT_ROLLED_BACK', [])
    await fails(
      aws,
      'DEPLOYMENT_ROLLED_BACK',
      [/kodus-worker:13 was rolled back/],
      ['deploy', 'worker', '--follow'],
    )
  })

  test('where it takes too long, and says that it goes on', async (t) => {
    const aws = await startAws(t)
    aws.world.script = neverEnds
    const { code, stderr } = await kodus(aws, [...DEPLOY, '--timeout', '200ms', '--env', 'staging'])
    assert.equal(code, 2)
    assert.match(stderr, /^DEPLOYMENT_TIMEOUT: .*still under way/m)
    assert.match(stderr, /unable to place a task because no container instance met all of its requirements/)
    assert.match(stderr, /kodus deploy worker --follow --env staging/)
  })

  test('when Ctrl-C ends the following, which leaves the deployment alone', async (t) => {
    const aws = await startAws(t)
    aws.world.script = neverEnds
    const { child, ran } = startKodus(aws, DEPLOY)
    let told = ''
    child.stderr?.on('data', (chunk) => {
      told += chunk
      if (told.includes('unable to place') && !child.killed) child.kill('SIGINT')
    })
    const { code, stderr } = await ran
    assert.equal(code, 130, stderr)
    assert.match(stderr, /^FOLLOWING_ENDED: .*kodus-worker:13 goes on being deployed/m)
    assert.match(stderr, /stop-service-deployment --service-deployment-arn arn:\S+ --stop-type ROLLBACK/)
    assert.equal(aws.world.service?.taskDefinition, revision(13))
  })
})
