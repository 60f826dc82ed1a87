import assert from 'node:assert/strict'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { json } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { fillIn, PLACEHOLDERS } from '../../infra/ecs/placeholders.ts'
import { writtenFiles } from '../../infra/ecs/written-files.ts'
import { findAwsCli } from './aws-cli.ts'

const DIRECTORY = 'infra/ecs'
const files = [...writtenFiles()]
const VALUES = {
  ACCOUNT_ID: '123456789012',
  REGION: 'eu-west-1',
  IMAGE_DIGEST: `sha256:${'0a'.repeat(32)}`,
  TARGET_GROUP_ARN: 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/0123456789abcdef',
  SUBNET_A: 'subnet-0a',
  SUBNET_B: 'subnet-0b',
  SECURITY_GROUP: 'sg-0a',
  LLM_MODEL: 'a "quoted" name',
}

test('the written files are those in the repository: `node infra/ecs/write-files.ts` writes them anew', () => {
  const there = globSync('{ec2,fargate}/*.json', { cwd: DIRECTORY }).sort()
  assert.deepEqual(there, files.map(([name]) => name).sort())
  assert.equal(files.length, 12)
  for (const [name, text] of files) assert.equal(readFileSync(path.join(DIRECTORY, name), 'utf8'), text, name)
})

describe('a written file', () => {
  test('names nothing of an account but by a placeholder', () => {
    const used = new Set<string>()
    for (const [name, text] of files) {
      for (const [, placeholder = ''] of text.matchAll(/\$(?:\{(\w+)\})?/g)) used.add(placeholder)
      assert.doesNotMatch(text, /\d{12}|(us|eu)-\w+-\d|subnet-|sg-/, name)
    }
    assert.deepEqual([...used].sort(), Object.keys(PLACEHOLDERS).sort())
  })

  test('has the values of an account filled in, escaped for JSON', () => {
    const worker = files.find(([name]) => name === 'fargate/task-definition-worker.json')
    const { containerDefinitions, taskRoleArn } = JSON.parse(fillIn(worker?.[1] ?? '', VALUES))
    assert.equal(taskRoleArn, 'arn:aws:iam::123456789012:role/kodus-worker-task')
    const environment = new Map(
      containerDefinitions[0].environment.map(({ name, value }: { name: string; value: string }) => [
        name,
        value,
      ]),
    )
    assert.equal(environment.get('LLM_MODEL'), 'a "quoted" name')
    assert.equal(environment.get('GITHUB_APP_ID'), '', 'a setting may be blank')
  })

  test('is not filled in while a value is missing or none of its kind, and all such are named', () => {
    const [, text = ''] = files.find(([name]) => name === 'fargate/service-api-rest.json') ?? []
    assert.throws(
      () => fillIn(text, { ...VALUES, SUBNET_A: undefined, SECURITY_GROUP: 'subnet-0a' }),
      ({ message }: Error) => {
        assert.match(message, /SUBNET_A: /)
        assert.match(message, /SECURITY_GROUP: /)
        assert.doesNotMatch(message, /SUBNET_B|TARGET_GROUP_ARN/)
        return true
      },
    )
  })
})

const aws = findAwsCli()

describe('the AWS CLI', { skip: aws.skip }, () => {
  test('accepts every task definition as it is written', async () => {
    for (const [name] of files.filter(isTask)) {
      const input = ['--cli-input-json', `file://${path.join(DIRECTORY, name)}`]
      const command = ['ecs', 'register-task-definition', ...input]
      const { exitCode, stderr } = await aws.run([...command, '--generate-cli-skeleton', 'output'])
      assert.equal(exitCode, 0, `${name}: ${stderr}`)
    }
  })

  // `create-service --generate-cli-skeleton output` fails on the CLI's own skeleton, whatever the input.
  test('sends every service as it was filled in', async (t) => {
    const received: unknown[] = []
    const server = createServer(async (request, response) => {
      received.push(await json(request))
      response.setHeader('content-type', 'application/x-amz-json-1.1').end('{}')
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const [name, text] of files.filter((file) => !isTask(file))) {
      const filled = fillIn(text, VALUES)
      const { exitCode, stderr } = await aws.run(
        ['ecs', 'create-service', '--cli-input-json', filled],
        endpoint,
      )
      assert.equal(exitCode, 0, `${name}: ${stderr}`)
      assert.deepEqual(received.pop(), JSON.parse(filled), name)
    }
  })

  test('refuses JSON with a comment, and a property that there is not', async (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'kodus-definitions-'))
    t.after(() => rmSync(directory, { recursive: true }))
    const refuse = async (text: string, says: RegExp) => {
      const file = path.join(directory, 'definition.json')
      writeFileSync(file, text)
      const command = ['ecs', 'register-task-definition', '--cli-input-json', `file://${file}`]
      const { exitCode, stderr } = await aws.run([...command, '--generate-cli-skeleton', 'output'])
      assert.notEqual(exitCode, 0)
      assert.match(stderr, says)
    }
    const [, sound = ''] = files.find(([name]) => name.startsWith('ec2/task-definition-webhook')) ?? []
    await refuse(`// task-definition-webhook-handler.json\n${sound}`, /Invalid JSON|Error parsing/)
    await refuse(sound.replace('"essential"', '"essentials"'), /Unknown parameter in .*essentials/)
  })
})

function isTask([name]: readonly [string, string]): boolean {
  return path.basename(name).startsWith('task-definition-')
}
