import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { COMPONENT_ENVIRONMENT, settingsOf } from '../../infra/ecs/component-environment.ts'
import { isFargateSize } from '../../infra/ecs/fargate-sizes.ts'
import { service, serviceProperties } from '../../infra/ecs/service.ts'
import type { ContainerDefinition, Launch } from '../../infra/ecs/shapes.ts'
import { taskDefinition, type Wiring } from '../../infra/ecs/task-definition.ts'
import { variables as api } from '../../src/api-rest/config.ts'
import { COMPONENTS, type ComponentFacts, type ComponentType } from '../../src/components.ts'
import { namesOf } from '../../src/ecs-names.ts'
import type { Variables } from '../../src/lib/env.ts'
import { variables as webhook } from '../../src/webhook-handler/config.ts'
import { variables as worker } from '../../src/worker/config.ts'

const TYPES = Object.keys(COMPONENTS) as ComponentType[]
const LAUNCHES: Launch[] = ['ec2', 'fargate']
const READ: Record<ComponentType, Variables> = { webhook, api, worker }
const WIRING: Wiring = {
  environment: 'staging',
  region: 'eu-west-1',
  image: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/kodus-ai/worker@sha256:${'a'.repeat(64)}`,
  executionRoleArn: 'arn:aws:iam::123456789012:role/execution',
  taskRoleArn: 'arn:aws:iam::123456789012:role/task',
  variables: { LOG_LEVEL: 'debug', WORKER_GRACE_SECONDS: '1', WEBHOOK_PORT: '1' },
  secrets: {
    DATABASE_URL: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:kodus/staging/DATABASE_URL',
  },
}

function containerOf(type: ComponentType, launch: Launch, wiring = WIRING): ContainerDefinition {
  const [container, ...others] = taskDefinition(type, launch, wiring).containerDefinitions
  assert.ok(container)
  assert.equal(others.length, 0)
  return container
}

const environmentOf = (container: ContainerDefinition) =>
  Object.fromEntries(container.environment.map(({ name, value }) => [name, value]))

describe('a task definition', () => {
  test('gives each component the size, port and time to stop of the table, whatever the installation sets', () => {
    for (const [type, launch] of each()) {
      const { task, stop, http, name }: ComponentFacts = COMPONENTS[type]
      const container = containerOf(type, launch)
      const { cpu, memory, stopTimeout } = container
      const { cpuUnits, memoryMb } = task
      assert.deepEqual([cpu, memory, stopTimeout], [cpuUnits, memoryMb, stop.grantedSeconds])
      assert.equal(container.name, name)
      const environment = environmentOf(container)
      assert.equal(environment[stop.variable ?? ''], String(stop.goesOnSeconds))
      assert.deepEqual(
        container.portMappings.map((mapping) => mapping.containerPort),
        http ? [http.port] : [],
      )
      if (http) assert.equal(environment[http.variable], String(http.port))
      assert.equal(environment.LOG_LEVEL, 'debug')
    }
  })

  test('is of a size that Fargate has, and says it for the task there', () => {
    for (const type of TYPES) {
      const { cpuUnits, memoryMb } = COMPONENTS[type].task
      const { cpu, memory } = taskDefinition(type, 'fargate', WIRING)
      assert.deepEqual([cpu, memory], [String(cpuUnits), String(memoryMb)])
      assert.ok(isFargateSize(cpuUnits, memoryMb))
    }
    for (const [cpu, memory] of [
      [256, 4096],
      [256, 1536],
      [512, 512],
      [1024, 2049],
      [300, 1024],
    ] as const) {
      assert.equal(isFargateSize(cpu, memory), false, `${cpu}/${memory}`)
    }
    for (const [cpu, memory] of [
      [256, 512],
      [256, 1024],
      [256, 2048],
      [4096, 30_720],
      [8192, 20_480],
    ] as const) {
      assert.equal(isFargateSize(cpu, memory), true, `${cpu}/${memory}`)
    }
  })

  test('lets the host choose the port on EC2, and has none of the host on Fargate', () => {
    for (const type of ['webhook', 'api'] as const) {
      assert.equal(containerOf(type, 'ec2').portMappings[0]?.hostPort, 0)
      assert.equal('hostPort' in (containerOf(type, 'fargate').portMappings[0] ?? {}), false)
    }
  })

  test('runs the architecture of its image: by default ARM on Fargate, x86 on EC2', () => {
    const architecture = (launch: Launch, wiring = WIRING) =>
      taskDefinition('worker', launch, wiring).runtimePlatform.cpuArchitecture
    assert.deepEqual(
      LAUNCHES.map((launch) => architecture(launch)),
      ['X86_64', 'ARM64'],
    )
    assert.equal(architecture('fargate', { ...WIRING, architecture: 'x86_64' }), 'X86_64')
    assert.equal(architecture('ec2', { ...WIRING, architecture: 'arm64' }), 'ARM64')
  })

  test('checks health as the image does, which ECS does not look at, and runs as its user', () => {
    const dockerfile = readFileSync('infra/docker/Dockerfile', 'utf8').replaceAll(/\\\n\s*/g, '')
    for (const [type, launch] of each()) {
      const { healthCheck, user } = containerOf(type, launch)
      assert.ok(healthCheck)
      const { command, interval, timeout, retries, startPeriod } = healthCheck
      const [kind, ...run] = command
      const options = `--interval=${interval}s --timeout=${timeout}s --start-period=${startPeriod}s --retries=${retries}`
      const line = `HEALTHCHECK ${options} ${kind} [${run.map((word) => `"${word}"`).join(', ')}]`
      const { name } = COMPONENTS[type]
      const stage = dockerfile.split(/^FROM /m).find((text) => text.startsWith(`${name}-base AS ${name}\n`))
      assert.ok(stage)
      assert.ok(stage.includes(line), `${line}\n${stage}`)
      assert.ok(stage.includes(`USER ${user}`))
    }
  })

  test("lets the worker write to its image's volume, and everyone to a small /tmp in memory", () => {
    const dockerfile = readFileSync('infra/docker/Dockerfile', 'utf8')
    const compose = parse(readFileSync('infra/compose/compose.yaml', 'utf8'), { merge: true })
    for (const [type, launch] of each()) {
      const container = containerOf(type, launch)
      const paths = container.mountPoints.map(({ containerPath }) => containerPath)
      assert.deepEqual(paths, type === 'worker' ? ['/var/cache/kodus'] : [])
      const [tmp] = container.linuxParameters.tmpfs
      const [given] = compose.services[COMPONENTS[type].name].tmpfs
      assert.equal(`${tmp?.containerPath}:size=${tmp?.size}m`, given)
    }
    // ECS gives a volume the owner that the image's directory has, only where the image declares it.
    const [uid] = containerOf('worker', 'fargate').user.split(':')
    assert.match(
      dockerfile,
      new RegExp(`install --directory --owner=${uid} .*/var/cache/kodus\nVOLUME /var/cache/kodus\n`),
    )
  })

  test('has a log group for each component, and no log that can stop it', () => {
    for (const [type, launch] of each()) {
      const { logDriver, options } = containerOf(type, launch).logConfiguration ?? {}
      assert.equal(logDriver, 'awslogs')
      assert.equal(options?.['awslogs-group'], namesOf(type).logGroup)
      assert.equal(options?.['awslogs-region'], 'eu-west-1')
      assert.equal(options?.mode, 'non-blocking')
    }
  })
})

describe('what a component is told', () => {
  test('is only what it reads, and every secret that it could be given', () => {
    for (const type of TYPES) {
      const { secrets, variables } = COMPONENT_ENVIRONMENT[type]
      const all = Object.entries(READ[type])
      const secret = all.filter(([, read]) => read.secret).map(([name]) => name)
      assert.deepEqual([...secrets].sort(), secret.sort(), type)
      assert.deepEqual(
        variables.filter((name) => !(name in READ[type]) || READ[type][name]?.secret),
        [],
        type,
      )
    }
  })

  test('is what compose.yaml tells it, and the authorities to trust', () => {
    const { services } = parse(readFileSync('infra/compose/compose.yaml', 'utf8'), { merge: true })
    for (const type of TYPES) {
      const { secrets, variables } = COMPONENT_ENVIRONMENT[type]
      const told = [...secrets, ...variables].filter((name) => !/_CA(_FILE)?$/.test(name))
      const { GIT_REPOSITORY_ROOTS, ...composed } = services[COMPONENTS[type].name].environment
      assert.deepEqual(told.sort(), Object.keys(composed).sort(), type)
    }
  })

  test('is picked from what the installation knows', () => {
    const known = {
      variables: { LOG_LEVEL: 'info', LLM_MODEL: 'm' },
      secrets: { DATABASE_URL: 'one', LLM_API_KEY: 'two' },
    }
    assert.deepEqual(settingsOf('worker', known), known)
    assert.deepEqual(settingsOf('api', known), {
      variables: { LOG_LEVEL: 'info' },
      secrets: { DATABASE_URL: 'one' },
    })
  })
})

describe('a service', () => {
  const placement = {
    cluster: 'c',
    taskDefinition: 'family:3',
    desiredCount: 2,
    targetGroupArn: 'arn:target',
  }

  test('of the worker has no load balancer, even when it is offered one', () => {
    for (const launch of LAUNCHES) {
      assert.equal(service('worker', launch, placement).loadBalancers, undefined)
      const [balancer] = service('api', launch, placement).loadBalancers ?? []
      assert.deepEqual(balancer, {
        targetGroupArn: 'arn:target',
        containerName: 'api-rest',
        containerPort: 3331,
      })
    }
  })

  test('on EC2 runs on the hosts that there are, or on those of a group that grows', () => {
    const { launchType, capacityProviderStrategy } = service('api', 'ec2', placement)
    assert.deepEqual([launchType, capacityProviderStrategy], ['EC2', undefined])
    const growing = service('api', 'ec2', { ...placement, capacityProvider: 'group' })
    assert.deepEqual(
      [growing.launchType, growing.capacityProviderStrategy],
      [undefined, [{ capacityProvider: 'group', weight: 1 }]],
    )
  })

  test('on Spot keeps the least count where it cannot be taken away', () => {
    const { launchType, capacityProviderStrategy } = service('worker', 'fargate', {
      ...placement,
      spot: true,
    })
    assert.equal(launchType, undefined)
    assert.deepEqual(capacityProviderStrategy, [
      { capacityProvider: 'FARGATE', base: COMPONENTS.worker.tasks.min, weight: 0 },
      { capacityProvider: 'FARGATE_SPOT', weight: 1 },
    ])
  })

  test('goes back when one of its alarms is raised', () => {
    const { alarms } = service('api', 'ec2', { ...placement, alarmNames: ['a', 'b'] }).deploymentConfiguration
    assert.deepEqual(alarms, { alarmNames: ['a', 'b'], enable: true, rollback: true })
  })

  test('is the same to CloudFormation, by its names', () => {
    const { placementStrategy, enableECSManagedTags, ...same } = service('api', 'ec2', placement)
    assert.deepEqual(serviceProperties(service('api', 'ec2', placement)), {
      ...same,
      placementStrategies: placementStrategy,
      enableEcsManagedTags: enableECSManagedTags,
    })
    assert.equal('placementStrategies' in serviceProperties(service('api', 'fargate', placement)), false)
  })
})

function each(): [ComponentType, Launch][] {
  return TYPES.flatMap((type) => LAUNCHES.map((launch): [ComponentType, Launch] => [type, launch]))
}
