import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Aws, startAws } from './aws-server.ts'
import { Fault } from './operations.ts'
import { kodus, startKodus } from './run-cli.ts'
import { neverEnds } from './scripts.ts'
import { addRevision, image } from './world.ts'

const DEPLOY = ['deploy', 'worker', '--image', image('c')]
const ALWAYS = Number.POSITIVE_INFINITY

describe('kodus deploy changes nothing', { concurrency: 2 }, () => {
  const REFUSED: {
    why: string
    code: string
    words: RegExp
    args?: string[]
    arrange?: (aws: Aws) => void
  }[] = [
    {
      why: 'where the service is to run no tasks',
      code: 'SERVICE_SWITCHED_OFF',
      words: /Nothing was changed/,
      arrange: ({ world }) => Object.assign(world.service ?? {}, { desiredCount: 0 }),
    },
    {
      why: 'where there is no service',
      code: 'SERVICE_MISSING',
      words: /kodus deploy worker --first/,
      arrange: ({ world }) => Object.assign(world, { service: undefined }),
    },
    {
      why: 'where the service is inactive',
      code: 'SERVICE_INACTIVE',
      words: /is INACTIVE/,
      arrange: ({ world }) => Object.assign(world.service ?? {}, { status: 'INACTIVE' }),
    },
    {
      why: 'where something else than ECS deploys',
      code: 'SERVICE_NOT_ROLLING',
      words: /CODE_DEPLOY/,
      arrange: ({ world }) =>
        Object.assign(world.service ?? {}, { deploymentController: { type: 'CODE_DEPLOY' } }),
    },
    {
      why: 'where there is no such cluster',
      code: 'CLUSTER_MISSING',
      words: /no cluster elsewhere/,
      args: [...DEPLOY, '--cluster', 'elsewhere'],
    },
    {
      why: 'for a tag, which may mean something else tomorrow',
      code: 'IMAGE_NOT_PINNED',
      words: /describe-images --repository-name kodus-ai\/worker --image-ids imageTag=latest/,
      args: [
        'deploy',
        'worker',
        '--image',
        '123456789012.dkr.ecr.eu-west-1.amazonaws.com/kodus-ai/worker:latest',
      ],
    },
    {
      why: 'for a digest that the repository does not have',
      code: 'IMAGE_MISSING',
      words: /describe-images/,
      args: ['deploy', 'worker', '--image', image('d')],
    },
    {
      why: 'where no container has the name of the component',
      code: 'CONTAINER_MISSING',
      words: /no container called worker, but app/,
      arrange({ world }) {
        const container = { name: 'app', image: image('b') }
        addRevision(world, 12, image('b')).containerDefinitions = [container]
      },
    },
    {
      why: 'when the first image is to be built, and not said for what',
      code: 'PLATFORM_MISSING',
      words: /--platform linux\/amd64 or linux\/arm64/,
      args: ['deploy', 'worker', '--build', '--first'],
      arrange: ({ world }) => Object.assign(world, { service: undefined }),
    },
    { why: 'when it is not said what', code: 'WRONG_OPTIONS', words: /--image/, args: ['deploy', 'worker'] },
    {
      why: 'when it is said twice what',
      code: 'WRONG_OPTIONS',
      words: /--image, --follow/,
      args: [...DEPLOY, '--follow'],
    },
    {
      why: 'when the first image is to be recorded of a service that is there',
      code: 'SERVICE_EXISTS',
      words: /Leave --first out/,
      args: [...DEPLOY, '--first'],
    },
  ]
  for (const { why, code, words, args = DEPLOY, arrange } of REFUSED) {
    test(why, async (t) => {
      const aws = await startAws(t)
      arrange?.(aws)
      const ran = await kodus(aws, args)
      assert.equal(ran.code, 2, ran.stderr)
      assert.match(ran.stderr, new RegExp(`^${code}: `, 'm'))
      assert.match(ran.stderr, words)
      const changing = aws.requests.filter(({ operation }) => /^(Register|Update|Put)/.test(operation))
      assert.deepEqual(changing, [])
    })
  }
})

describe('kodus deploy says what AWS refuses', { concurrency: 2 }, () => {
  const says = async (aws: Aws, code: string, words: RegExp, env: Record<string, string> = {}) => {
    const ran = await kodus(aws, DEPLOY, env)
    assert.equal(ran.code, 2, ran.stderr)
    assert.match(ran.stderr, new RegExp(`^${code}: `, 'm'))
    assert.match(ran.stderr, words)
    assert.doesNotMatch(ran.stderr, /secret-of-the-test/)
    return ran
  }

  test('when it is throttled for ever', async (t) => {
    const aws = await startAws(t)
    const answer = new Fault('ThrottlingException', 'Rate exceeded')
    aws.misbehave({ operation: 'UpdateService', times: ALWAYS, answer })
    await says(aws, 'AWS_THROTTLED', /ecs:UpdateService .*Rate exceeded/)
    assert.equal(aws.requests.filter(({ operation }) => operation === 'UpdateService').length, 3)
  })

  test('when something is not permitted: which action, on which resource', async (t) => {
    const aws = await startAws(t)
    const words =
      'User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/kodus-worker-task because no identity-based policy allows the iam:PassRole action'
    const answer = new Fault('AccessDeniedException', words)
    aws.misbehave({ operation: 'RegisterTaskDefinition', times: 1, answer })
    await says(
      aws,
      'AWS_PERMISSION_DENIED',
      /^Allow iam:PassRole on arn:aws:iam::123456789012:role\/kodus-worker-task /m,
    )
  })

  test('when credentials expire on the way, and that the deployment goes on', async (t) => {
    const aws = await startAws(t)
    const expired = new Fault(
      'ExpiredTokenException',
      'The security token included in the request is expired',
    )
    aws.world.script = [
      () => aws.misbehave({ operation: 'DescribeServices', times: ALWAYS, answer: expired }),
      ...neverEnds,
    ]
    await says(
      aws,
      'AWS_CREDENTIALS_EXPIRED',
      /The deployment itself goes on\. To follow it: kodus deploy worker --follow/,
    )
  })

  test('when credentials are wrong', async (t) => {
    const aws = await startAws(t)
    const ran = startKodus(aws, DEPLOY, { AWS_SECRET_ACCESS_KEY: 'another' })
    const { code, stderr } = await ran.ran
    assert.equal(code, 2)
    assert.match(stderr, /^AWS_CREDENTIALS_INVALID: .*the signature is wrong/m)
  })

  test('when there are none', async (t) => {
    const aws = await startAws(t)
    await says(aws, 'AWS_CREDENTIALS_MISSING', /aws sso login/, { AWS_ACCESS_KEY_ID: '' })
  })

  test('when no region is known', async (t) => {
    const aws = await startAws(t)
    await says(aws, 'AWS_REGION_MISSING', /--region/, { AWS_REGION: '' })
  })

  test('when connections are reset', async (t) => {
    const aws = await startAws(t)
    aws.misbehave({ operation: 'DescribeServices', times: ALWAYS, answer: 'reset' })
    await says(aws, 'AWS_UNREACHABLE', /ecs:DescribeServices got no answer/)
  })

  test('when the image runs and cannot be recorded', async (t) => {
    const aws = await startAws(t)
    aws.world.script = []
    const answer = new Fault(
      'AccessDeniedException',
      'not authorized to perform: ssm:PutParameter on resource: x',
    )
    aws.misbehave({ operation: 'PutParameter', times: ALWAYS, answer })
    const { code, stderr } = await kodus(aws, ['deploy', 'worker', '--image', image('b')])
    assert.equal(code, 2)
    assert.match(stderr, /^IMAGE_NOT_RECORDED: .*ssm:PutParameter/m)
    assert.match(stderr, /aws ssm put-parameter --name \/kodus\/production\/worker\/image/)
  })
})
