import type { Mutant } from './sound-pair.ts'

/** Mistakes in a service. */
export const SERVICE_MUTANTS: Record<string, Mutant> = {
  "CDK's least healthy share": {
    of: ['api', 'fargate'],
    says: /may leave 50 %/,
    change: ({ service }) => Object.assign(service.deploymentConfiguration, { minimumHealthyPercent: 50 }),
  },
  'no room to surge': {
    of: ['api', 'ec2'],
    says: /may start 100 %/,
    change: ({ service }) => Object.assign(service.deploymentConfiguration, { maximumPercent: 100 }),
  },
  'no circuit breaker': {
    of: ['worker', 'ec2'],
    says: /not rolled back/,
    change: ({ service }) =>
      Reflect.deleteProperty(service.deploymentConfiguration, 'deploymentCircuitBreaker'),
  },
  'a circuit breaker that only stops': {
    of: ['api', 'ec2'],
    says: /not rolled back/,
    change: ({ service }) =>
      Object.assign(service.deploymentConfiguration.deploymentCircuitBreaker, { rollback: false }),
  },
  'alarms that only stop': {
    of: ['api', 'ec2'],
    says: /alarms do not roll/,
    change: ({ service }) =>
      Object.assign(service.deploymentConfiguration, {
        alarms: { alarmNames: ['a'], enable: true, rollback: false },
      }),
  },
  "CodeDeploy's deployments": {
    of: ['api', 'ec2'],
    says: /ECS does not do its deployments/,
    change: ({ service }) => Object.assign(service.deploymentController, { type: 'CODE_DEPLOY' }),
  },
  'no load balancer': {
    of: ['webhook', 'ec2'],
    says: /no load balancer/,
    change: ({ service }) => Reflect.deleteProperty(service, 'loadBalancers'),
  },
  'a load balancer of the worker': {
    of: ['worker', 'ec2'],
    says: /nothing that listens/,
    change: ({ service }) => Object.assign(service, { loadBalancers: [balancer('worker', 3333)] }),
  },
  'a load balancer to another port': {
    of: ['api', 'fargate'],
    says: /port 3332 of api-rest, which is not/,
    change: ({ service }) => Object.assign(service, { loadBalancers: [balancer('api-rest', 3332)] }),
  },
  'a load balancer to another container': {
    of: ['api', 'fargate'],
    says: /of web, which is not/,
    change: ({ service }) => Object.assign(service, { loadBalancers: [balancer('web', 3331)] }),
  },
  'no time to start': {
    of: ['api', 'fargate'],
    says: /no time to start/,
    change: ({ service }) => Reflect.deleteProperty(service, 'healthCheckGracePeriodSeconds'),
  },
  'the service of another launch type': {
    of: ['worker', 'fargate'],
    says: /for another launch type/,
    change: ({ service }) => Object.assign(service, { launchType: 'EC2' }),
  },
  'a launch type beside capacity providers': {
    of: ['worker', 'ec2'],
    says: /either a launch type or capacity providers/,
    change: ({ service }) =>
      Object.assign(service, { capacityProviderStrategy: [{ capacityProvider: 'group', weight: 1 }] }),
  },
  'nothing but Spot': {
    of: ['worker', 'fargate'],
    says: /taken away with Spot/,
    change: ({ service }) => {
      Reflect.deleteProperty(service, 'launchType')
      Object.assign(service, { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }] })
    },
  },
  'no subnets': {
    of: ['worker', 'fargate'],
    says: /no subnets/,
    change: ({ service }) =>
      Object.assign(service.networkConfiguration?.awsvpcConfiguration ?? {}, { subnets: [] }),
  },
  'public addresses': {
    of: ['worker', 'fargate'],
    says: /public addresses/,
    change: ({ service }) =>
      Object.assign(service.networkConfiguration?.awsvpcConfiguration ?? {}, { assignPublicIp: 'ENABLED' }),
  },
  'a network configuration with bridge': {
    of: ['worker', 'ec2'],
    says: /no network configuration/,
    change: ({ service }) =>
      Object.assign(service, { networkConfiguration: { awsvpcConfiguration: { subnets: ['s'] } } }),
  },
  'tasks in one zone': {
    of: ['worker', 'ec2'],
    says: /one availability zone/,
    change: ({ service }) => service.placementStrategy?.shift(),
  },
  'ECS Exec': {
    of: ['worker', 'ec2'],
    says: /commands can be run in its tasks/,
    change: ({ service }) => Object.assign(service, { enableExecuteCommand: true }),
  },
}

function balancer(containerName: string, containerPort: number) {
  return { targetGroupArn: 'arn', containerName, containerPort }
}
