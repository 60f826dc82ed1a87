import { COMPONENTS, type ComponentFacts, type ComponentType } from '../../src/components.ts'
import { namesOf } from '../../src/ecs-names.ts'
import type { Launch, ServiceDefinition } from './shapes.ts'
import { HEALTH_CHECK } from './task-definition.ts'

/** What of a service depends on where it runs. */
export interface Placement {
  cluster: string
  /** Family, family:revision or ARN. */
  taskDefinition: string
  desiredCount: number
  /** Of the component's load balancer: instance targets on EC2, ip targets on Fargate. */
  targetGroupArn?: string
  /** Fargate: where its tasks get addresses, none of them public. */
  subnets?: string[]
  securityGroups?: string[]
  /** EC2: of a group of hosts that grows. Without it, tasks run on the hosts that there are. */
  capacityProvider?: string
  /** CloudWatch alarms that roll a deployment back. */
  alarmNames?: string[]
  /** Fargate: whatever is beyond the least count runs on Spot. */
  spot?: boolean
}

/**
 * What CreateService is given for a component. A rolling update starts new tasks before it stops old ones, and goes back
 * by itself when they fail or an alarm is raised.
 */
export function service(type: ComponentType, launch: Launch, placement: Placement): ServiceDefinition {
  const { http }: ComponentFacts = COMPONENTS[type]
  const { container, service: serviceName } = namesOf(type)
  const { targetGroupArn, alarmNames = [] } = placement
  return {
    cluster: placement.cluster,
    serviceName,
    taskDefinition: placement.taskDefinition,
    desiredCount: placement.desiredCount,
    schedulingStrategy: 'REPLICA',
    ...(launch === 'fargate' ? onFargate(type, placement) : onEc2(placement)),
    ...(http &&
      targetGroupArn !== undefined && {
        loadBalancers: [{ targetGroupArn, containerName: container, containerPort: http.port }],
        healthCheckGracePeriodSeconds: HEALTH_CHECK.startPeriod,
      }),
    // Moving a worker between zones would interrupt its reviews for nothing; the next deployment spreads them again.
    availabilityZoneRebalancing: http ? 'ENABLED' : 'DISABLED',
    deploymentController: { type: 'ECS' },
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
      ...(alarmNames.length > 0 && { alarms: { alarmNames, enable: true, rollback: true } }),
    },
    propagateTags: 'TASK_DEFINITION',
    enableECSManagedTags: true,
    enableExecuteCommand: false,
  }
}

/** The same for CloudFormation (CDK's CfnService), which calls two properties otherwise than the API. */
export function serviceProperties(definition: ServiceDefinition) {
  const { placementStrategy, enableECSManagedTags, ...same } = definition
  return {
    ...same,
    enableEcsManagedTags: enableECSManagedTags,
    ...(placementStrategy && { placementStrategies: placementStrategy }),
  }
}

function onEc2({ capacityProvider }: Placement) {
  return {
    ...(capacityProvider === undefined
      ? { launchType: 'EC2' }
      : { capacityProviderStrategy: [{ capacityProvider, weight: 1 }] }),
    // Over the zones first; within one on as few hosts as will hold them, so that the others can be given back.
    placementStrategy: [
      { type: 'spread', field: 'attribute:ecs.availability-zone' },
      { type: 'binpack', field: 'memory' },
    ],
  }
}

function onFargate(type: ComponentType, { spot, subnets = [], securityGroups = [] }: Placement) {
  const strategy = [
    { capacityProvider: 'FARGATE', base: COMPONENTS[type].tasks.min, weight: 0 },
    { capacityProvider: 'FARGATE_SPOT', weight: 1 },
  ]
  return {
    ...(spot ? { capacityProviderStrategy: strategy } : { launchType: 'FARGATE' }),
    platformVersion: '1.4.0',
    networkConfiguration: {
      awsvpcConfiguration: { subnets, securityGroups, assignPublicIp: 'DISABLED' },
    },
  }
}
