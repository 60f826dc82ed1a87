import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr'
import { DescribeServicesCommand, ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { type Aws, KEYS, type Request, startAws } from './aws-server.ts'
import { kodus } from './run-cli.ts'
import { succeeds } from './scripts.ts'
import { digest, image, REGION, revision } from './world.ts'

/** What a server can tell a request by: not who makes it, nor when. */
function told({ service, operation, input, headers }: Request) {
  const { 'content-type': contentType, authorization = '' } = headers
  const scope = /Credential=[^,]+/.exec(authorization)?.[0].replace(/\/\d{8}\//, '/')
  return { service, operation, input, contentType, target: headers['x-amz-target'], scope }
}

function find(aws: Aws, operation: string): Request {
  return aws.requests.find((each) => each.operation === operation) ?? assert.fail(operation)
}

test('what is said on the wire is what the AWS SDK says', async (t) => {
  const ours = await startAws(t)
  ours.world.script = succeeds
  assert.equal((await kodus(ours, ['deploy', 'worker', '--image', image('c')])).code, 0)

  const theirs = await startAws(t)
  theirs.world.taskDefinitions.set(
    revision(13),
    theirs.world.taskDefinitions.get(revision(11)) ?? assert.fail(),
  )
  const options = { region: REGION, endpoint: theirs.url, credentials: KEYS }
  const cluster = 'kodus-cluster'
  const service = 'kodus-worker-service'
  const ecs = new ECSClient(options)
  await ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))
  await ecs.send(new UpdateServiceCommand({ cluster, service, taskDefinition: revision(13) }))
  const imageIds = [{ imageDigest: digest('c') }]
  const repository = { registryId: '123456789012', repositoryName: 'kodus-ai/worker' }
  await new ECRClient(options).send(new DescribeImagesCommand({ ...repository, imageIds }))
  const parameter = { Name: '/kodus/production/worker/image', Value: image('c') }
  await new SSMClient(options).send(
    new PutParameterCommand({ ...parameter, Type: 'String', Overwrite: true }),
  )

  assert.deepEqual(theirs.complaints, [], 'the server takes what the SDK sends')
  for (const operation of ['DescribeServices', 'UpdateService', 'DescribeImages', 'PutParameter']) {
    assert.deepEqual(told(find(ours, operation)), told(find(theirs, operation)))
  }
})

test('the server refuses a member that the SDK does not know, a missing one, and a wrong signature', async (t) => {
  const aws = await startAws(t)
  const { connectToAws } = await import('../../src/cli/deploy/aws-call.ts')
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  })
  const call = await connectToAws({ region: REGION, say: () => {} })
  const cluster = 'kodus-cluster'
  await assert.rejects(call('ecs', 'UpdateService', { cluster, services: 'x' }), /\.services does not exist/)
  await assert.rejects(call('ecs', 'UpdateService', { cluster }), /\.service is missing/)
  await assert.rejects(call('ecs', 'DescribeServices', { cluster, services: 'x' }), /\.services is no list/)
  await assert.rejects(call('ecs', 'DescribeService', {}), /UnknownOperationException/)
  const elsewhere = await connectToAws({ region: 'us-east-1', say: () => {} })
  await assert.rejects(elsewhere('ecs', 'DescribeServices', { services: [] }), {
    code: 'AWS_CREDENTIALS_INVALID',
  })
})
