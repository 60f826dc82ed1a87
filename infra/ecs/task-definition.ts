import { COMPONENTS, type ComponentFacts, type ComponentType } from '../../src/components.ts'
import { type EnvironmentName, namesOf } from '../../src/ecs-names.ts'
import type { ContainerDefinition, Launch, TaskDefinition } from './shapes.ts'

/** What of a task definition depends on the installation. */
export interface Wiring {
  environment: EnvironmentName
  region: string
  /** By its digest (repository@sha256:…). */
  image: string
  executionRoleArn: string
  taskRoleArn: string
  /** Variable → value: nothing that is secret, since whoever may describe a task reads them. */
  variables: Readonly<Record<string, string>>
  /** Variable → ARN of its secret, or ARN:key:: of a key in one. */
  secrets: Readonly<Record<string, string>>
  /** Of the image. Default: arm64 on Fargate, where it costs a fifth less; x86_64 on EC2, as the T3 machine has it. */
  architecture?: 'x86_64' | 'arm64'
}

/** The image's own, which ECS does not look at. Seconds; test/ecs-definitions compares them with the Dockerfile. */
export const HEALTH_CHECK = { interval: 10, timeout: 5, retries: 3, startPeriod: 60 }

/** What `USER` is in the Dockerfile. */
const USER = '10001:10001'
/** MiB, part of the container's memory; as compose.yaml gives. Fargate has tmpfs since January 2026. */
const TMP_MIB = 64
/** Where the worker's image has a VOLUME that belongs to its user, which ECS copies the owner of. */
const WORKER_CACHE = { name: 'kodus-worker-cache', path: '/var/cache/kodus' }
/** A connection is a file, and Docker's default may be 1,024. */
const OPEN_FILES = 65_536

/**
 * What RegisterTaskDefinition is given for a component, all sizes and periods from src/components.ts.
 *
 * There is no memoryReservation: it would have to be less than memory, ECS would count only that, and the containers of a
 * full host could together want more than it has.
 */
export function taskDefinition(type: ComponentType, launch: Launch, wiring: Wiring): TaskDefinition {
  const { task } = COMPONENTS[type]
  const onFargate = launch === 'fargate'
  const architecture = wiring.architecture ?? (onFargate ? 'arm64' : 'x86_64')
  return {
    family: namesOf(type).family,
    requiresCompatibilities: [launch.toUpperCase()],
    // awsvpc on EC2 would allow three tasks on a t3.xlarge: it has four network interfaces.
    networkMode: onFargate ? 'awsvpc' : 'bridge',
    ...(onFargate && { cpu: String(task.cpuUnits), memory: String(task.memoryMb) }),
    runtimePlatform: { cpuArchitecture: architecture.toUpperCase(), operatingSystemFamily: 'LINUX' },
    executionRoleArn: wiring.executionRoleArn,
    taskRoleArn: wiring.taskRoleArn,
    containerDefinitions: [container(type, launch, wiring)],
    volumes: type === 'worker' ? [workerCache(launch)] : [],
    tags: [
      { key: 'kodus:environment', value: wiring.environment },
      { key: 'kodus:component', value: COMPONENTS[type].name },
    ],
  }
}

function container(type: ComponentType, launch: Launch, wiring: Wiring): ContainerDefinition {
  const { task, http, stop }: ComponentFacts = COMPONENTS[type]
  // Said again although the image has them: the port is what the load balancer is told, the time what stopTimeout belongs to.
  const facts = {
    ...(http && { [http.variable]: String(http.port) }),
    ...(stop.variable && { [stop.variable]: String(stop.goesOnSeconds) }),
    // Its scaling reads them, so they are no choice of the installation's.
    ...(type === 'worker' && { CLOUDWATCH_METRICS_ENVIRONMENT: wiring.environment }),
  }
  return {
    name: namesOf(type).container,
    image: wiring.image,
    essential: true,
    cpu: task.cpuUnits,
    memory: task.memoryMb,
    user: USER,
    readonlyRootFilesystem: true,
    // Fargate refuses the option, and has no setuid programs to gain from: all capabilities are dropped.
    ...(launch === 'ec2' && { dockerSecurityOptions: ['no-new-privileges'] }),
    // No initProcessEnabled: the image's entry point is tini.
    linuxParameters: {
      capabilities: { drop: ['ALL'] },
      tmpfs: [
        { containerPath: '/tmp', size: TMP_MIB, mountOptions: ['mode=1777', 'nosuid', 'nodev', 'noexec'] },
      ],
    },
    ulimits: [{ name: 'nofile', softLimit: OPEN_FILES, hardLimit: OPEN_FILES }],
    portMappings: http ? [portMapping(http.port, launch)] : [],
    mountPoints:
      type === 'worker'
        ? [{ sourceVolume: WORKER_CACHE.name, containerPath: WORKER_CACHE.path, readOnly: false }]
        : [],
    environment: Object.entries({ ...wiring.variables, ...facts }).map(([name, value]) => ({ name, value })),
    secrets: Object.entries(wiring.secrets).map(([name, valueFrom]) => ({ name, valueFrom })),
    healthCheck: { command: healthCommand(http), ...HEALTH_CHECK },
    stopTimeout: stop.grantedSeconds,
    logConfiguration: { logDriver: 'awslogs', options: logOptions(type, wiring.region) },
  }
}

function portMapping(containerPort: number, launch: Launch) {
  // A port of the host's choice: a fixed one is PM2's, and allows one task a host, so that no update could surge.
  return { containerPort, ...(launch === 'ec2' && { hostPort: 0 }), protocol: 'tcp' }
}

function healthCommand(http: ComponentFacts['http']): string[] {
  const asked = http ? ['http', http.variable] : ['file', 'WORKER_HEALTH_FILE']
  return ['CMD', 'node', 'health.mjs', ...asked]
}

function workerCache(launch: Launch) {
  // On EC2 kept between tasks and shared by the workers of a host, each of which takes a directory of its own in it.
  // On Fargate part of the task's 20 GiB, which cost nothing.
  const shared = { scope: 'shared', autoprovision: true, driver: 'local' }
  return { name: WORKER_CACHE.name, ...(launch === 'ec2' && { dockerVolumeConfiguration: shared }) }
}

function logOptions(type: ComponentType, region: string): Record<string, string> {
  return {
    'awslogs-group': namesOf(type).logGroup,
    'awslogs-region': region,
    'awslogs-stream-prefix': 'ecs',
    // A component must not stand still because CloudWatch does; what does not fit is lost.
    mode: 'non-blocking',
    'max-buffer-size': '25m',
  }
}
