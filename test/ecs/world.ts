import type { Deployment, Service, ServiceDeployment, Tag, TaskDefinition } from '../../src/cli/deploy/ecs.ts'

export const ACCOUNT = '123456789012'
export const REGION = 'eu-west-1'
export const REPOSITORY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com/kodus-ai/worker`
const ECS = `arn:aws:ecs:${REGION}:${ACCOUNT}`

/** An image of the component that the tests deploy. */
export function image(letter: string): string {
  return `${REPOSITORY}@${digest(letter)}`
}

export function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`
}

export function revision(number: number): string {
  return `${ECS}:task-definition/kodus-worker:${number}`
}

/** One step of a deployment. Each look at the service makes the next one happen; after the last, nothing changes. */
export type Step = (world: World, deployment: Deployment) => void

export interface Task {
  taskDefinitionArn: string
  stoppedReason: string
  containers: { name: string; exitCode?: number; reason?: string }[]
}

/** What the account holds: one cluster, and in it the worker's service. */
export interface World {
  cluster: string
  service: Service | undefined
  taskDefinitions: Map<string, { taskDefinition: TaskDefinition; tags?: Tag[] }>
  history: (ServiceDeployment & { targetServiceRevision: { arn: string } })[]
  /** Of a service's revision, by its ARN. */
  revisions: Map<string, string>
  stoppedTasks: Task[]
  repositories: Map<string, string>
  /** Digests in the component's repository, and their tags. */
  images: Map<string, string[]>
  parameters: Map<string, string>
  /** What becomes of the next deployment. */
  script: Step[]
  /** The deployment that the steps ahead are about. */
  scripted: string | undefined
  /** Steps that have not happened. */
  ahead: Step[]
  /** So many looks after an update still see the service as it was. */
  staleLooks: number
  before: Service | undefined
  /** Seconds; later each time. */
  now(): number
}

/** The worker's service runs kodus-worker:12, and ran :11 before. */
export function createWorld(): World {
  let time = 1_790_000_000
  const now = () => ++time
  const world: World = {
    cluster: 'kodus-cluster',
    service: undefined,
    taskDefinitions: new Map(),
    history: [],
    revisions: new Map(),
    stoppedTasks: [],
    repositories: new Map([['kodus-ai/worker', REPOSITORY]]),
    images: new Map(['a', 'b', 'c'].map((letter) => [digest(letter), []])),
    parameters: new Map(),
    script: [],
    scripted: undefined,
    ahead: [],
    staleLooks: 0,
    before: undefined,
    now,
  }
  addRevision(world, 11, image('a'))
  addRevision(world, 12, image('b'))
  world.service = {
    serviceArn: `${ECS}:service/kodus-cluster/kodus-worker-service`,
    status: 'ACTIVE',
    desiredCount: 3,
    runningCount: 3,
    taskDefinition: revision(12),
    deployments: [],
    events: [{ id: 'event-before', createdAt: now(), message: 'something that happened last week' }],
    deploymentController: { type: 'ECS' },
  }
  for (const number of [11, 12]) {
    beginDeployment(world, world.service, revision(number))
    complete(world)
  }
  world.parameters.set('/kodus/production/worker/image', image('b'))
  return world
}

/** A revision as DescribeTaskDefinition says it: with what ECS adds, and what CloudFormation does. */
export function addRevision(world: World, number: number, image: string): TaskDefinition {
  const taskDefinition: TaskDefinition = {
    taskDefinitionArn: revision(number),
    family: 'kodus-worker',
    revision: number,
    status: 'ACTIVE',
    taskRoleArn: `arn:aws:iam::${ACCOUNT}:role/kodus-worker-task`,
    executionRoleArn: `arn:aws:iam::${ACCOUNT}:role/kodus-worker-execution`,
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    compatibilities: ['EC2', 'FARGATE'],
    requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.task-iam-role' }],
    cpu: '1024',
    memory: '2048',
    runtimePlatform: { cpuArchitecture: 'ARM64', operatingSystemFamily: 'LINUX' },
    registeredAt: world.now(),
    registeredBy: `arn:aws:iam::${ACCOUNT}:user/somebody`,
    volumes: [],
    placementConstraints: [],
    containerDefinitions: [
      {
        name: 'worker',
        image,
        essential: true,
        cpu: 1024,
        memory: 2048,
        portMappings: [],
        environment: [{ name: 'WORKER_GRACE_SECONDS', value: '105' }],
        secrets: [
          { name: 'DATABASE_URL', valueFrom: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db' },
        ],
        stopTimeout: 120,
      },
      {
        name: 'log-router',
        image: 'public.ecr.aws/aws-observability/aws-for-fluent-bit:stable',
        essential: false,
      },
    ],
  }
  const tags = [
    { key: 'kodus:component', value: 'worker' },
    { key: 'aws:cloudformation:stack-name', value: 'kodus' },
  ]
  world.taskDefinitions.set(taskDefinition.taskDefinitionArn, { taskDefinition, tags })
  return taskDefinition
}

/** What UpdateService begins: a deployment that ECS works towards, and an entry in the history. */
export function beginDeployment(
  world: World,
  service: Service,
  taskDefinition: string,
  reason?: string,
): Deployment {
  const createdAt = world.now()
  const deployment: Deployment = {
    id: `ecs-svc/${createdAt}`,
    status: 'PRIMARY',
    taskDefinition,
    desiredCount: service.desiredCount,
    runningCount: 0,
    pendingCount: 0,
    failedTasks: 0,
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: reason ?? `ECS deployment ecs-svc/${createdAt} in progress.`,
    createdAt,
  }
  service.taskDefinition = taskDefinition
  service.deployments = [
    deployment,
    ...service.deployments.map((each): Deployment => ({ ...each, status: 'ACTIVE' })),
  ]
  // A rollback belongs to the deployment that it undoes.
  if (reason === undefined) enterInHistory(world, service, taskDefinition, createdAt)
  return deployment
}

function enterInHistory(world: World, service: Service, taskDefinition: string, createdAt: number): void {
  const place = 'kodus-cluster/kodus-worker-service'
  const target = `${ECS}:service-revision/${place}/${createdAt}`
  world.revisions.set(target, taskDefinition)
  world.history.push({
    serviceDeploymentArn: `${ECS}:service-deployment/${place}/${createdAt}`,
    status: 'IN_PROGRESS',
    createdAt,
    targetServiceRevisionArn: target,
    targetServiceRevision: { arn: target },
  })
  service.currentServiceDeployment = world.history.at(-1)?.serviceDeploymentArn
}

/** The present deployment has succeeded: all its tasks run, and none of others. */
export function complete(world: World): void {
  const { service } = world
  const [primary] = service?.deployments ?? []
  if (!service || !primary) return
  service.deployments = [primary]
  primary.runningCount = service.desiredCount
  primary.pendingCount = 0
  primary.rolloutState = 'COMPLETED'
  primary.rolloutStateReason = `ECS deployment ${primary.id} completed.`
  service.runningCount = service.desiredCount
  const entry = world.history.at(-1)
  if (entry?.status === 'IN_PROGRESS') Object.assign(entry, { status: 'SUCCESSFUL', finishedAt: world.now() })
  delete service.currentServiceDeployment
}

export function tell({ service, now }: World, message: string): void {
  const createdAt = now()
  service?.events.unshift({
    id: `event-${createdAt}`,
    createdAt,
    message: `(service kodus-worker-service) ${message}`,
  })
}
