import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskDefinition } from '../../infra/ecs/shapes.ts'
import type { ComponentType } from '../../src/components.ts'
import { CLUSTER, imageParameter, namesOf } from '../../src/ecs-names.ts'
import { createLog } from '../../src/lib/log.ts'
import { createShutdown } from '../../src/lib/shutdown.ts'
import { ENVIRONMENT, TYPES } from './account.ts'
import { install } from './installation.ts'
import { findPrerequisites } from './prerequisites.ts'
import { reviewNewCommit, until } from './reviews.ts'
import { runKodus } from './run-kodus.ts'
import { startsAndEnds, taskContainers } from './task-containers.ts'

// `npm run test:aws`: the three services by our own definitions on MiniStack, which speaks AWS's protocols and runs tasks as
// real containers.
//
// What that shows: the AWS CLI and an ECS take the definitions as they stand; images are pulled by digest from a registry;
// secrets come from Secrets Manager and logs go to their groups; the load balancers' port and container are right; a
// webhook becomes a review; `kodus deploy|rollback` follow a deployment that a scheduler other than our tests' carries out
// by the definition's percentages and circuit breaker.
//
// What it does not show, since MiniStack 1.5.33 (ministack/services/ecs.py, alb.py) does otherwise:
// - A task counts as healthy when its containers have run for a second. It runs no container health check (these tests ask
//   the definition's themselves), and calls every target of a load balancer healthy. So an image that starts and never
//   becomes healthy is deployed there; test/ecs shows what `kodus deploy` says of one that ECS rolls back.
// - cpu, memory, user, readonlyRootFilesystem, linuxParameters, ulimits, dockerSecurityOptions and Docker volumes are
//   kept and not applied; test/containers runs the images under the same limits.
// - stopTimeout is five seconds. There is no task protection, no history of deployments, no alarm, no placement, no
//   capacity provider, no scaling; roles need only look like roles, and permit everything.
// - `awsvpc` differs from `bridge` in that no port is published. Both are one network, and load balancers go to a task's own
//   address, also where the target group's type is `instance`.
// - Its registry has ECR's protocol but not its name, which engines could not reach: images are named by the loopback, and
//   `kodus deploy` does not look them up in ECR first.
// - After a rollback the failed deployment stays in the service's list for ever, so that the next good one never looks
//   complete: the bad image comes last here.

const LIMIT_MS = 600_000

const found = await findPrerequisites()
const skip = 'skip' in found && found.skip

test('the three services by our own definitions', { skip, timeout: LIMIT_MS }, async (t) => {
  assert.ok('engine' in found)
  const { engine } = found
  const shutdown = createShutdown(createLog('test', 'warn'))
  shutdown.add('the engine', () => engine.close())
  t.after(() => shutdown.run())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal) // node:test ends the process at once.
    process.on(signal, () => void shutdown.run().finally(() => process.exit(130)))
  }
  const it = await install(t, found, shutdown)

  /** The one container of a component; while an old one is still being stopped, that is waited for. */
  const only = async (type: ComponentType) => {
    await until(`one ${type} runs`, async () => (await taskContainers(engine, type)).length === 1)
    const [container] = await taskContainers(engine, type)
    assert.ok(container)
    return container
  }
  const definitionOf = async (type: ComponentType) => {
    const input = { taskDefinition: namesOf(type).family }
    return (await it.aws<{ taskDefinition: TaskDefinition }>('ecs', 'describe-task-definition', input))
      .taskDefinition
  }
  const healthy = async () => {
    for (const type of TYPES) {
      const [container] = (await definitionOf(type)).containerDefinitions
      const [kind, ...command] = container?.healthCheck?.command ?? []
      assert.equal(kind, 'CMD')
      const { id } = await only(type)
      await until(`${type} is healthy`, () => succeeds(engine.docker('exec', id, ...command)))
    }
  }

  await t.test('EC2: each runs as the image that was pushed, by its digest', async () => {
    await it.createServices('ec2')
    for (const type of TYPES) assert.equal((await only(type)).image, it.images[type])
  })

  await t.test('EC2: ports are of the host’s choice, so that PM2 keeps its own', async () => {
    const published = await Promise.all(TYPES.map(async (type) => Object.entries((await only(type)).ports)))
    const inside = published.flat().map(([port]) => port)
    assert.deepEqual(inside, ['3332/tcp', '3331/tcp'])
    for (const [port, outside] of published.flat()) {
      assert.equal(outside.length, 1, port)
      assert.ok(Number(outside[0]) >= 32_768, `${port} is ${outside}`)
    }
  })

  await t.test('EC2: what the definitions ask of health is answered with yes', healthy)

  await t.test('secrets are in the containers that need them, and in no answer of ECS', async () => {
    const said = JSON.stringify(await Promise.all(TYPES.map(definitionOf)))
    for (const secret of [it.databaseUrl, it.webhookSecret]) assert.equal(said.includes(secret), false)
    const told = async (type: ComponentType) => (await only(type)).environment
    for (const type of TYPES) assert.equal((await told(type)).DATABASE_URL, it.databaseUrl, type)
    const signs = await Promise.all(TYPES.map(async (type) => (await told(type)).GIT_WEBHOOK_SECRET))
    assert.deepEqual(signs, [it.webhookSecret, undefined, undefined])
  })

  await t.test('a signed webhook to one load balancer is a review that the other answers with', async () => {
    const job = await reviewNewCommit(it)
    assert.equal(job.status, 'COMPLETED')
    const findings = job.review?.findings.map(({ path, line, rule }) => [path, line, rule])
    assert.deepEqual(findings, [['orders.py', 1, 'python/mutable-default']])

    for (const type of TYPES) {
      const { events } = await it.aws<{ events: unknown[] }>('logs', 'filter-log-events', {
        logGroupName: namesOf(type).logGroup,
        filterPattern: `"${job.id}"`,
      })
      assert.ok(events.length > 0, `${type} tells of the job in its log group`)
    }
  })

  const follow = (...args: string[]) =>
    runKodus(it.ministack.endpoint, ...args, '--every', '500ms', '--timeout', '3m')
  const recorded = async () => {
    const input = { Name: imageParameter(ENVIRONMENT, 'worker') }
    const answer = await it.aws<{ Parameter: { Value: string } }>('ssm', 'get-parameter', input)
    return answer.Parameter.Value
  }

  await t.test('kodus deploy: a good image takes the place of the one, new task first, with 0', async () => {
    const before = { webhook: await only('webhook'), api: await only('api'), worker: await only('worker') }
    const image = await it.publish('worker', 'LABEL test=another')
    assert.notEqual(image, it.images.worker)
    const began = Date.now()

    const { exitCode, stdout, stderr } = await follow('deploy', 'worker', '--image', image)
    assert.equal(exitCode, 0, stderr)
    assert.equal(stdout, `${image}\n`)
    assert.equal(await recorded(), image)
    const worker = await only('worker')
    assert.equal(worker.image, image)
    assert.equal(worker.environment.DATABASE_URL, it.databaseUrl)
    const history = await startsAndEnds(engine, 'worker', began)
    assert.deepEqual(history, [`start ${worker.id}`, `die ${before.worker.id}`])
    for (const type of ['webhook', 'api'] as const) assert.equal((await only(type)).id, before[type].id, type)
    assert.equal((await reviewNewCommit(it)).status, 'COMPLETED')
  })

  await t.test('kodus rollback: the image before runs again, with 0', async () => {
    const { exitCode, stdout, stderr } = await follow('rollback', 'worker')
    assert.equal(exitCode, 0, stderr)
    assert.equal(stdout, `${it.images.worker}\n`)
    assert.equal(await recorded(), it.images.worker)
    assert.equal((await only('worker')).image, it.images.worker)
  })

  await t.test(
    'kodus deploy: an image that ends at once ends with 1 and why; the old task runs on',
    async () => {
      const before = await only('worker')
      const image = await it.publish('worker', 'ENTRYPOINT ["sh", "-c", "exit 3"]')
      const { exitCode, stdout, stderr } = await follow('deploy', 'worker', '--image', image)
      assert.equal(exitCode, 1, stderr)
      assert.equal(stdout, '')
      assert.match(stderr, /DEPLOYMENT_ROLLED_BACK: kodus-worker:\d+ was rolled back to kodus-worker:\d+\./)
      assert.match(stderr, /circuit breaker was triggered after 3 consecutive task failures/)
      assert.match(stderr, /Stopped task: Essential container exited; worker exit code 3/)
      assert.equal(await recorded(), it.images.worker)
      assert.equal((await only('worker')).id, before.id)
      assert.equal((await reviewNewCommit(it)).status, 'COMPLETED')
    },
  )

  await t.test('kodus deploy: an image that is not in the registry ends with 1 and why', async () => {
    const before = await only('worker')
    const absent = it.images.worker.replace(/[0-9a-f]{64}$/, 'a'.repeat(64))
    const { exitCode, stderr } = await follow('deploy', 'worker', '--image', absent)
    assert.equal(exitCode, 1, stderr)
    assert.match(stderr, /Stopped task: CannotPullContainerError/)
    assert.equal((await only('worker')).id, before.id)
  })

  await t.test('Fargate: the same by the other definitions, with no port of a host', async () => {
    for (const type of TYPES) {
      const service = { cluster: CLUSTER, service: namesOf(type).service }
      await it.aws('ecs', 'delete-service', { ...service, force: true })
      assert.deepEqual(await taskContainers(engine, type), [])
    }
    await it.createServices('fargate')
    for (const type of TYPES) assert.deepEqual(Object.values((await only(type)).ports).flat(), [], type)
    await healthy()
    assert.equal((await reviewNewCommit(it)).status, 'COMPLETED')
  })
})

async function succeeds(work: Promise<unknown>): Promise<boolean> {
  return await work.then(
    () => true,
    () => false,
  )
}
