import { COMPONENTS, type ComponentFacts, type ComponentType } from '../../src/components.ts'
import { checkService } from './check-service.ts'
import { COMPONENT_ENVIRONMENT } from './component-environment.ts'
import { isFargateSize } from './fargate-sizes.ts'
import type { ContainerDefinition, ServiceDefinition, TaskDefinition } from './shapes.ts'

/** Seconds: what a component needs of its stopTimeout after it has gone on for as long as it may. */
const STOP_MARGIN = 10
/** Seconds: more than that Fargate refuses. */
const FARGATE_STOP = 120
/** Or, where it is not known yet, a placeholder of the written files or a token of CDK's. */
const BY_DIGEST = /(@sha256:[0-9a-f]{64}|\$\{[^}]+\})$/

/**
 * What is wrong with a task definition and its service that AWS would accept and that would hurt later, or refuse only when
 * it is deployed. One sentence each; none when all is well.
 */
export function problemsOf(definition: TaskDefinition, service: ServiceDefinition): string[] {
  const onFargate = definition.requiresCompatibilities.includes('FARGATE')
  const found: string[] = [
    ...checkTask(definition, onFargate),
    ...definition.containerDefinitions.flatMap((each) => [...checkContainer(each, onFargate)]),
    ...checkService(definition, service, onFargate),
  ]
  return found.map((problem) => `${definition.family}: ${problem}`)
}

function* checkTask(definition: TaskDefinition, onFargate: boolean): Generator<string> {
  const { networkMode, executionRoleArn, taskRoleArn, containerDefinitions } = definition
  const mode = onFargate ? 'awsvpc' : 'bridge'
  if (networkMode !== mode) yield `its network mode is ${networkMode}, and has to be ${mode} here`
  if (!executionRoleArn || !taskRoleArn) yield 'it lacks the execution role or the task role'
  if (executionRoleArn === taskRoleArn) {
    yield 'its execution role and its task role are one: the component could read what only starts it'
  }
  if (!onFargate) return
  const [cpu, memory] = [Number(definition.cpu), Number(definition.memory)]
  if (!isFargateSize(cpu, memory)) yield `Fargate has no task with ${cpu} CPU units and ${memory} MiB`
  const sum = (key: 'cpu' | 'memory') => containerDefinitions.reduce((total, each) => total + each[key], 0)
  if (sum('memory') > memory) yield 'its containers may use more memory than the task has'
  if (sum('cpu') > cpu) yield 'its containers are promised more CPU units than the task has'
  if (definition.volumes.some((volume) => volume.dockerVolumeConfiguration)) {
    yield "Fargate has no volumes of Docker's"
  }
}

function* checkContainer(container: ContainerDefinition, onFargate: boolean): Generator<string> {
  if (!BY_DIGEST.test(container.image)) {
    yield `its image ${container.image} is not named by digest, and what a tag means can change`
  }
  for (const { hostPort, containerPort } of container.portMappings) {
    if (!onFargate && (hostPort ?? 0) !== 0) {
      yield `its host port is fixed to ${hostPort}: one task a host, none beside what listens there, no rolling update`
    }
    if (onFargate && (hostPort ?? containerPort) !== containerPort)
      yield 'with awsvpc there are no host ports'
  }
  yield* checkConfinement(container, onFargate)
  yield* checkEnvironment(container)
  yield* checkLife(container, onFargate)
  const { logDriver, options = {} } = container.logConfiguration ?? {}
  const named = ['awslogs-group', 'awslogs-region', 'awslogs-stream-prefix'].every((name) => options[name])
  if (logDriver !== 'awslogs' || !named) yield 'its log goes to no log group'
  else if (options.mode !== 'non-blocking') yield 'it stands still when its log cannot be written'
}

function* checkConfinement(container: ContainerDefinition, onFargate: boolean): Generator<string> {
  const { user, readonlyRootFilesystem, linuxParameters } = container
  if (!user || /^(0|root)(:|$)/.test(user)) yield 'it runs as root'
  if (!readonlyRootFilesystem) yield 'its root file system can be written to'
  if (!linuxParameters?.capabilities?.drop?.includes('ALL'))
    yield 'it keeps capabilities that it does not need'
  if (onFargate && container.dockerSecurityOptions) yield 'Fargate refuses dockerSecurityOptions'
}

function* checkEnvironment({
  name: container,
  environment,
  secrets,
}: ContainerDefinition): Generator<string> {
  const told = Object.values(COMPONENT_ENVIRONMENT).flatMap((each) => each.secrets)
  for (const { name, value } of environment) {
    const isSecret =
      told.includes(name) || /PASSWORD|SECRET|TOKEN|_KEY$/.test(name) || /:\/\/[^/]*:[^/]*@/.test(value)
    if (isSecret) yield `${name} is in its environment, where everyone who may describe a task reads it`
  }
  const type = typeOf(container)
  const strange = secrets.filter(({ name }) => type && !COMPONENT_ENVIRONMENT[type].secrets.includes(name))
  for (const { name } of strange) yield `it is given the secret ${name}, which it does not read`
  if (!secrets.some(({ name }) => name === 'DATABASE_URL')) yield 'it is not given DATABASE_URL as a secret'
}

function* checkLife(container: ContainerDefinition, onFargate: boolean): Generator<string> {
  const { healthCheck, stopTimeout, environment } = container
  if (!healthCheck)
    yield 'it has no health check, and without one (ECS ignores that of the image) it is well once it runs'
  else if (healthCheck.command[0] !== 'CMD' || healthCheck.startPeriod > 300 || healthCheck.interval < 5) {
    yield 'ECS refuses its health check'
  }
  const type = typeOf(container.name)
  const { stop }: Partial<ComponentFacts> = type ? COMPONENTS[type] : {}
  const goesOn = Number(
    environment.find(({ name }) => name === stop?.variable)?.value ?? stop?.goesOnSeconds ?? 0,
  )
  if (!(stopTimeout >= goesOn + STOP_MARGIN)) {
    yield `it is killed after ${stopTimeout ?? 30} s, and needs ${goesOn + STOP_MARGIN} s to stop`
  }
  if (onFargate && stopTimeout > FARGATE_STOP)
    yield `Fargate grants ${FARGATE_STOP} s to stop, not ${stopTimeout}`
}

function typeOf(container: string): ComponentType | undefined {
  const types = Object.keys(COMPONENTS) as ComponentType[]
  return types.find((type) => COMPONENTS[type].name === container)
}
