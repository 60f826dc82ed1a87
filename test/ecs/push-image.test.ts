import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connectToAws } from '../../src/cli/deploy/aws-call.ts'
import { buildAndPush } from '../../src/cli/deploy/build-and-push.ts'
import { pushImage } from '../../src/cli/deploy/push-image.ts'
import { targetOf } from '../../src/cli/deploy/target.ts'
import { type Aws, KEYS, startAws } from './aws-server.ts'
import { digest, image, REGION, REPOSITORY } from './world.ts'

interface Told {
  args: string[]
  stdin: string
  settings: Record<string, unknown>
  contexts: boolean
}

/** No registry of ECR's can be had, so here docker is a program that writes down what it is told, and says it went well. */
const RECORDER = `#!${process.execPath}
const { appendFileSync, existsSync, readFileSync } = require('node:fs')
const args = process.argv.slice(2)
const settings = args[1]
const stdin = args.includes('--password-stdin') ? readFileSync(0, 'utf8') : ''
const config = JSON.parse(readFileSync(settings + '/config.json', 'utf8'))
const contexts = existsSync(settings + '/contexts/meta')
appendFileSync(process.env.TOLD, JSON.stringify({ args, stdin, settings: config, contexts }) + '\\n')
if (args.includes('inspect')) console.log(JSON.stringify(['elsewhere@${digest('a')}', '${image('c')}']))
if (args.includes(process.env.FAILS)) { console.error('no: ' + process.env.FAILS); process.exit(1) }
`

function recordDocker(t: TestContext, aws: Aws): { told(): Told[]; home: string } {
  const home = mkdtempSync(join(tmpdir(), 'kodus-docker-test-'))
  const file = join(home, 'docker')
  writeFileSync(file, RECORDER)
  chmodSync(file, 0o755)
  mkdirSync(join(home, 'contexts', 'meta'), { recursive: true })
  writeFileSync(
    join(home, 'config.json'),
    JSON.stringify({ auths: { other: {} }, currentContext: 'desktop' }),
  )
  const before = { ...process.env }
  t.after(() => {
    process.env = before
  })
  Object.assign(process.env, {
    PATH: `${home}${delimiter}${process.env.PATH}`,
    DOCKER_CONFIG: home,
    TOLD: join(home, 'told'),
    FAILS: '',
    AWS_ENDPOINT_URL: aws.url,
    AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  })
  const lines = () => readFileSync(join(home, 'told'), 'utf8').trim().split('\n')
  return { home, told: () => lines().map((line) => JSON.parse(line)) }
}

test('the token of the registry reaches docker by its standard input alone, and stays nowhere', async (t) => {
  const aws = await startAws(t)
  const { told, home } = recordDocker(t, aws)
  const call = await connectToAws({ region: REGION, say: () => {} })
  assert.equal(await pushImage(call, 'kodus-ai/worker:1', REPOSITORY, '1'), image('c'))

  const commands = told()
  assert.deepEqual(
    commands.map(({ args }) => args.slice(2)),
    [
      ['login', '--username', 'AWS', '--password-stdin', REPOSITORY.replace(/\/.*/, '')],
      ['tag', 'kodus-ai/worker:1', `${REPOSITORY}:1`],
      ['push', `${REPOSITORY}:1`],
      ['image', 'inspect', '--format', '{{json .RepoDigests}}', `${REPOSITORY}:1`],
    ],
  )
  assert.equal(commands[0]?.stdin, 'token-of-the-registry')
  for (const { args, settings, contexts } of commands) {
    assert.equal(args[0], '--config')
    assert.notEqual(args[1], home, 'logins that are there already are not touched')
    assert.ok(!existsSync(args[1] ?? ''))
    assert.deepEqual(settings, { currentContext: 'desktop' }, 'it talks to the same engine')
    assert.ok(contexts)
  }
  assert.deepEqual(aws.complaints, [])
})

for (const step of ['login', 'push']) {
  test(`a ${step} that fails is a failure, with docker's words`, async (t) => {
    const aws = await startAws(t)
    recordDocker(t, aws)
    process.env.FAILS = step
    const call = await connectToAws({ region: REGION, say: () => {} })
    const pushed = pushImage(call, 'kodus-ai/worker:1', REPOSITORY, '1')
    await assert.rejects(pushed, { code: 'PUSH_FAILED', message: new RegExp(`no: ${step}`) })
  })
}

test('a commit whose image is in the repository is not built again, for each processor apart', async (t) => {
  const aws = await startAws(t)
  recordDocker(t, aws)
  const root = mkdtempSync(join(tmpdir(), 'kodus-revision-'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', root, '-c', 'user.name=n', '-c', 'user.email=e@example.org', ...args], {
      encoding: 'utf8',
    })
  git('init', '--quiet')
  git('commit', '--quiet', '--allow-empty', '--message', 'first')
  const commit = git('rev-parse', 'HEAD').trim()
  aws.world.images.set(digest('c'), [`${commit}-arm64`])
  const call = await connectToAws({ region: REGION, say: () => {} })
  const target = targetOf('worker', 'kodus-cluster', 'production')
  const options = { root, version: '1.0.0', baseImage: 'debian', say: () => {} }
  assert.equal(await buildAndPush(call, target, { ...options, platform: 'linux/arm64' }), image('c'))
  await assert.rejects(buildAndPush(call, target, { ...options, platform: 'linux/amd64' }), {
    code: 'ENGINE_MISSING',
  })
})
