import { COMPONENTS, type ComponentFacts } from '../../src/components.ts'
import type { ServiceDefinition, TaskDefinition } from './shapes.ts'

/** The part of problemsOf() that is about the service. */
export function* checkService(
  definition: TaskDefinition,
  service: ServiceDefinition,
  onFargate: boolean,
): Generator<string> {
  yield* checkDeployment(service)
  yield* checkTraffic(definition, service)
  yield* checkPlacement(service, onFargate)
  if (service.enableExecuteCommand) yield 'commands can be run in its tasks, with the rights of its task role'
}

function* checkDeployment({
  deploymentConfiguration,
  deploymentController,
}: ServiceDefinition): Generator<string> {
  const { minimumHealthyPercent, maximumPercent, deploymentCircuitBreaker, alarms } = deploymentConfiguration
  if (deploymentController.type !== 'ECS')
    yield 'ECS does not do its deployments: no circuit breaker watches them'
  if (minimumHealthyPercent !== 100) yield `a deployment may leave ${minimumHealthyPercent} % of its tasks`
  if (maximumPercent !== 200)
    yield `a deployment may start ${maximumPercent} % of its tasks, and needs 200 to surge`
  if (!deploymentCircuitBreaker?.enable || !deploymentCircuitBreaker.rollback) {
    yield 'a deployment that fails is not rolled back'
  }
  if (alarms && !(alarms.enable && alarms.rollback && alarms.alarmNames.length > 0)) {
    yield 'its alarms do not roll a deployment back'
  }
}

function* checkTraffic(definition: TaskDefinition, service: ServiceDefinition): Generator<string> {
  const { loadBalancers = [], healthCheckGracePeriodSeconds } = service
  const facts = Object.values<ComponentFacts>(COMPONENTS)
  const needed = definition.containerDefinitions.some(({ name }) =>
    facts.some((each) => each.http && each.name === name),
  )
  if (needed && loadBalancers.length === 0) yield 'it has no load balancer, so that nothing reaches it'
  if (!needed && loadBalancers.length > 0) yield 'it has a load balancer, and nothing that listens'
  if (loadBalancers.length > 0 && healthCheckGracePeriodSeconds === undefined) {
    yield 'its tasks are given no time to start before the load balancer judges them'
  }
  for (const { containerName, containerPort } of loadBalancers) {
    const container = definition.containerDefinitions.find(({ name }) => name === containerName)
    if (!container?.portMappings.some((mapping) => mapping.containerPort === containerPort)) {
      yield `its load balancer sends to port ${containerPort} of ${containerName}, which is not in the definition`
    }
  }
}

function* checkPlacement(service: ServiceDefinition, onFargate: boolean): Generator<string> {
  const { launchType, capacityProviderStrategy = [], networkConfiguration, placementStrategy = [] } = service
  const providers = capacityProviderStrategy.map(({ capacityProvider }) => capacityProvider)
  if ((launchType === undefined) === (providers.length === 0)) {
    yield 'it needs either a launch type or capacity providers'
  }
  const isOnFargate = launchType === 'FARGATE' || providers.some((name) => /^FARGATE(_SPOT)?$/.test(name))
  if (isOnFargate !== onFargate) yield 'its definition is for another launch type than it has'
  const onDemand = capacityProviderStrategy.find(({ capacityProvider }) => capacityProvider === 'FARGATE')
  if (providers.includes('FARGATE_SPOT') && !onDemand?.base) yield 'all its tasks can be taken away with Spot'
  const { subnets = [], assignPublicIp } = networkConfiguration?.awsvpcConfiguration ?? {}
  if (onFargate && subnets.length === 0) yield 'it has no subnets to run in'
  if (!onFargate && networkConfiguration) yield 'with bridge there is no network configuration'
  if (assignPublicIp === 'ENABLED') yield 'its tasks have public addresses'
  if (!onFargate && placementStrategy[0]?.field !== 'attribute:ecs.availability-zone') {
    yield 'its tasks may all be in one availability zone'
  }
}
