import type { AwsCall } from './aws-call.ts'

/** The part we read of what ECS answers. Times are seconds since 1970. */
export interface Deployment {
  id: string
  status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE'
  taskDefinition: string
  desiredCount: number
  runningCount: number
  pendingCount: number
  failedTasks?: number
  rolloutState?: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  rolloutStateReason?: string
  createdAt: number
}

export interface Service {
  serviceArn: string
  /** ACTIVE, DRAINING or INACTIVE. */
  status: string
  desiredCount: number
  runningCount: number
  taskDefinition: string
  deployments: Deployment[]
  /** The newest first. */
  events: { id: string; createdAt: number; message: string }[]
  deploymentController?: { type: string }
  /** The ARN of the service deployment that is under way. */
  currentServiceDeployment?: string
}

/** The history's view of a deployment, which a rollback belongs to. */
export interface ServiceDeployment {
  serviceDeploymentArn: string
  /** PENDING, IN_PROGRESS, SUCCESSFUL, STOPPED, STOP_REQUESTED, or ROLLBACK_ and how far that is. */
  status: string
  statusReason?: string
  createdAt?: number
  finishedAt?: number
  targetServiceRevisionArn?: string
  rollback?: { reason?: string }
  alarms?: { triggeredAlarmNames?: string[] }
}

/** With all that ECS has said of it, known to us or not. */
export interface TaskDefinition {
  taskDefinitionArn: string
  family: string
  revision: number
  /** ACTIVE or INACTIVE. */
  status: string
  containerDefinitions: ContainerDefinition[]
  requiresCompatibilities?: string[]
  runtimePlatform?: { cpuArchitecture?: string; operatingSystemFamily?: string }
  [member: string]: unknown
}

export interface ContainerDefinition {
  name: string
  image: string
  [member: string]: unknown
}

export interface Tag {
  key: string
  value?: string
}

/** The service, also where it is being deleted; undefined where there is none. */
export async function describeService(
  call: AwsCall,
  cluster: string,
  name: string,
): Promise<Service | undefined> {
  const input = { cluster, services: [name] }
  const { services = [] } = await call<{ services?: Service[] }>('ecs', 'DescribeServices', input)
  return services[0]
}

export async function describeTaskDefinition(
  call: AwsCall,
  taskDefinition: string,
): Promise<{ taskDefinition: TaskDefinition; tags?: Tag[] }> {
  return call('ecs', 'DescribeTaskDefinition', { taskDefinition, include: ['TAGS'] })
}

/** How people write a task definition: `kodus-worker:12`. */
export function revisionName(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}

/** The deployment that ECS is working towards. */
export function primaryOf(service: Service): Deployment | undefined {
  return service.deployments.find(({ status }) => status === 'PRIMARY')
}
