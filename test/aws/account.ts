import type { Launch } from '../../infra/ecs/shapes.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import { CLUSTER, namesOf, secretName } from '../../src/ecs-names.ts'
import type { AwsCommand } from './aws-command.ts'

export const REGION = 'us-east-1'
/** Whose account requests are that come with no known key. */
export const ACCOUNT_ID = '000000000000'
export const ENVIRONMENT = 'production'
export const TYPES = Object.keys(COMPONENTS) as ComponentType[]
/** Of any network: MiniStack has one of its own. */
export const NETWORK = { subnets: ['subnet-a', 'subnet-b'], securityGroups: ['sg-tasks'] }
const VPC = 'vpc-00000001'

/** The components that are sent requests. */
export type Served = 'webhook' | 'api'

/** What there has to be before a service is made, as infra/cdk makes it. */
export interface Account {
  /** Variable → ARN of its secret. */
  secrets: Readonly<Record<string, string>>
  /** Makes a target group, and has the component's load balancer send all it gets there. @returns its ARN */
  targetGroup(type: Served, launch: Launch): Promise<string>
}

/** @param values variable → what is secret */
export async function makeAccount(
  aws: AwsCommand,
  values: Readonly<Record<string, string>>,
): Promise<Account> {
  await aws('ecs', 'create-cluster', { clusterName: CLUSTER })
  for (const type of TYPES) {
    const { logGroup, repository } = namesOf(type)
    await aws('logs', 'create-log-group', { logGroupName: logGroup })
    await aws('ecr', 'create-repository', { repositoryName: repository, imageTagMutability: 'IMMUTABLE' })
  }
  const secrets: Record<string, string> = {}
  for (const [variable, value] of Object.entries(values)) {
    const input = { Name: secretName(ENVIRONMENT, variable), SecretString: value }
    const { ARN } = await aws<{ ARN: string }>('secretsmanager', 'create-secret', input)
    secrets[variable] = ARN
  }

  const listeners = new Map<Served, string>()
  const forwardTo = async (type: Served, action: object) => {
    const ListenerArn = listeners.get(type)
    if (ListenerArn) {
      await aws('elbv2', 'modify-listener', { ListenerArn, DefaultActions: [action] })
      return
    }
    const { loadBalancer: Name } = namesOf(type)
    const { LoadBalancers: [balancer] = [] } = await aws<{ LoadBalancers: { LoadBalancerArn: string }[] }>(
      'elbv2',
      'create-load-balancer',
      { Name, Subnets: NETWORK.subnets, Type: 'application' },
    )
    const { Listeners: [listener] = [] } = await aws<{ Listeners: { ListenerArn: string }[] }>(
      'elbv2',
      'create-listener',
      {
        LoadBalancerArn: balancer?.LoadBalancerArn,
        Protocol: 'HTTP',
        Port: 80,
        DefaultActions: [action],
      },
    )
    if (listener) listeners.set(type, listener.ListenerArn)
  }

  return {
    secrets,
    async targetGroup(type, launch) {
      const { http, name } = COMPONENTS[type]
      const { TargetGroups: [group] = [] } = await aws<{ TargetGroups: { TargetGroupArn: string }[] }>(
        'elbv2',
        'create-target-group',
        {
          Name: `${name}-${launch}`,
          Protocol: 'HTTP',
          Port: http.port,
          VpcId: VPC,
          TargetType: launch === 'fargate' ? 'ip' : 'instance',
          HealthCheckPath: http.ready,
        },
      )
      const TargetGroupArn = group?.TargetGroupArn ?? ''
      await forwardTo(type, { Type: 'forward', TargetGroupArn })
      return TargetGroupArn
    },
  }
}
