import type { Service, Tag, TaskDefinition } from '../../src/cli/deploy/ecs.ts'
import { addRevision, beginDeployment, revision, type World } from './world.ts'

/** A refusal, as AWS says it. */
export class Fault extends Error {
  readonly type: string
  readonly status: number
  constructor(type: string, message: string, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

/** Its input has been checked against the SDK's description; its answer will be. */
export type Operation = (world: World, input: Input) => object

/** All members that any of the operations below is given. */
export interface Input {
  cluster: string
  service: string
  services: string[]
  taskDefinition: string
  family: string
  familyPrefix: string
  status: string[] | string
  containerDefinitions: TaskDefinition['containerDefinitions']
  tags?: Tag[]
  nextToken?: string
  include?: string[]
  serviceDeploymentArns: string[]
  serviceRevisionArns: string[]
  tasks: string[]
  repositoryNames: string[]
  repositoryName: string
  imageIds: { imageDigest?: string; imageTag?: string }[]
  Name: string
  Value: string
  Overwrite?: boolean
}

export const OPERATIONS: Record<string, Operation> = {
  DescribeServices(world, { cluster, services }) {
    ensureCluster(world, cluster)
    const { service } = world
    if (!service || !services.includes('kodus-worker-service')) {
      return { services: [], failures: services.map((name) => ({ arn: name, reason: 'MISSING' })) }
    }
    if (world.before && world.staleLooks > 0) {
      world.staleLooks -= 1
      return { services: [world.before], failures: [] }
    }
    const mine = service.deployments.find(({ id }) => id === world.scripted)
    if (mine) world.ahead.shift()?.(world, mine)
    return { services: [service], failures: [] }
  },

  DescribeTaskDefinition(world, { taskDefinition, include }) {
    const { taskDefinition: found, tags } = findRevision(world, taskDefinition)
    return { taskDefinition: found, ...(include?.includes('TAGS') ? { tags } : {}) }
  },

  RegisterTaskDefinition(world, { tags, ...definition }) {
    if (tags?.length === 0) throw new Fault('ClientException', 'Tags can not be empty.')
    const reserved = tags?.find(({ key }) => key.startsWith('aws:'))
    if (reserved)
      throw new Fault(
        'InvalidParameterException',
        `aws: prefixed tag key names are not allowed: ${reserved.key}`,
      )
    const number =
      Math.max(...[...world.taskDefinitions.values()].map((each) => each.taskDefinition.revision)) + 1
    const taskDefinition = { ...addRevision(world, number, 'none'), ...definition } as TaskDefinition
    world.taskDefinitions.set(taskDefinition.taskDefinitionArn, { taskDefinition, ...(tags ? { tags } : {}) })
    return { taskDefinition, tags }
  },

  UpdateService(world, { cluster, service: name, taskDefinition }) {
    ensureCluster(world, cluster)
    const service = findService(world, name)
    const { taskDefinition: wanted } = findRevision(world, taskDefinition)
    if (wanted.status !== 'ACTIVE') throw new Fault('ClientException', 'TaskDefinition is inactive')
    if (wanted.taskDefinitionArn !== service.taskDefinition) {
      world.before = structuredClone(service)
      world.scripted = beginDeployment(world, service, wanted.taskDefinitionArn).id
      world.ahead = [...world.script]
    }
    return { service }
  },

  ListServiceDeployments(world, { cluster, service, status, nextToken = '0' }) {
    ensureCluster(world, cluster)
    findService(world, service)
    const wanted = world.history.filter((each) => !status || status.includes(each.status))
    // One a page, and in an order that ECS does not promise anything of.
    const at = Number(nextToken)
    const page = wanted.slice(at, at + 1)
    return {
      serviceDeployments: page.map(({ targetServiceRevision, alarms, rollback, ...brief }) => brief),
      ...(at + 1 < wanted.length ? { nextToken: String(at + 1) } : {}),
    }
  },

  DescribeServiceDeployments(world, { serviceDeploymentArns }) {
    const found = world.history.filter((each) => serviceDeploymentArns.includes(each.serviceDeploymentArn))
    return { serviceDeployments: found.map(({ targetServiceRevisionArn, ...full }) => full), failures: [] }
  },

  DescribeServiceRevisions(world, { serviceRevisionArns }) {
    const serviceRevisions = serviceRevisionArns.map((arn) => ({
      serviceRevisionArn: arn,
      taskDefinition: world.revisions.get(arn),
    }))
    return { serviceRevisions, failures: [] }
  },

  ListTaskDefinitions(world, { familyPrefix, status }) {
    const found = [...world.taskDefinitions.values()]
      .map(({ taskDefinition }) => taskDefinition)
      .filter((each) => each.family === familyPrefix && each.status === status)
      .sort((a, b) => b.revision - a.revision)
    return { taskDefinitionArns: found.map(({ taskDefinitionArn }) => taskDefinitionArn) }
  },

  ListTasks: (world) => ({ taskArns: world.stoppedTasks.map((_, index) => `task-${index}`) }),

  DescribeTasks: (world, { tasks }) => ({
    tasks: world.stoppedTasks.filter((_, index) => tasks.includes(`task-${index}`)),
    failures: [],
  }),

  DescribeRepositories(world, { repositoryNames }) {
    const repositories = repositoryNames.map((repositoryName) => {
      const repositoryUri = world.repositories.get(repositoryName)
      if (repositoryUri) return { repositoryName, repositoryUri }
      throw new Fault(
        'RepositoryNotFoundException',
        `The repository with name '${repositoryName}' does not exist`,
      )
    })
    return { repositories }
  },

  DescribeImages(world, { imageIds }) {
    const wanted = ([digest, tags]: [string, string[]]) =>
      imageIds.some(({ imageDigest, imageTag }) => imageDigest === digest || tags.includes(imageTag ?? ''))
    const found = [...world.images].filter(wanted)
    if (found.length === 0) throw new Fault('ImageNotFoundException', 'The image requested does not exist')
    return { imageDetails: found.map(([imageDigest, imageTags]) => ({ imageDigest, imageTags })) }
  },

  GetAuthorizationToken: () => ({
    authorizationData: [{ authorizationToken: Buffer.from('AWS:token-of-the-registry').toString('base64') }],
  }),

  PutParameter(world, { Name, Value, Overwrite }) {
    if (world.parameters.has(Name) && !Overwrite) {
      throw new Fault('ParameterAlreadyExists', 'The parameter already exists.')
    }
    world.parameters.set(Name, Value)
    return { Version: 1 }
  },
}

function ensureCluster({ cluster }: World, named: string): void {
  if (named !== cluster) throw new Fault('ClusterNotFoundException', 'Cluster not found.')
}

function findService({ service }: World, name: string): Service {
  if (!service || name !== 'kodus-worker-service')
    throw new Fault('ServiceNotFoundException', 'Service not found.')
  if (service.status !== 'ACTIVE') throw new Fault('ServiceNotActiveException', 'Service was not ACTIVE.')
  return service
}

function findRevision(world: World, named: string) {
  const found =
    world.taskDefinitions.get(named) ?? world.taskDefinitions.get(revision(Number(named.split(':')[1])))
  if (found) return found
  throw new Fault('ClientException', 'Unable to describe task definition.')
}
