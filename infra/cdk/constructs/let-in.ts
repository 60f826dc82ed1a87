import { CfnSecurityGroupIngress } from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import { COMPONENTS } from '../../../src/components.ts'
import { DYNAMIC_PORTS } from '../settings/edge.ts'
import type { Settings } from '../settings/settings.ts'
import type { BaseStack } from '../stacks/base-stack.ts'

/**
 * Who may reach whom: load balancers their tasks, tasks the stores. Every rule is a resource of its own, here and not with the group that
 * it opens, so that another cluster beside this one brings its own and takes them away again.
 */
export function letIn(
  scope: Construct,
  tasks: string,
  { launch }: Settings,
  { balancers, database, broker }: BaseStack,
): void {
  for (const type of ['webhook', 'api'] as const) {
    const { name, http } = COMPONENTS[type]
    const ports = launch === 'ec2' ? DYNAMIC_PORTS : { from: http.port, to: http.port }
    new CfnSecurityGroupIngress(scope, `${name}-requests`, {
      description: `Requests of ${name}'s load balancer`,
      groupId: tasks,
      sourceSecurityGroupId: balancers[type].securityGroup.securityGroupId,
      ipProtocol: 'tcp',
      fromPort: ports.from,
      toPort: ports.to,
    })
  }
  for (const [name, store] of Object.entries({ database, broker })) {
    if (!store?.securityGroup) continue
    new CfnSecurityGroupIngress(scope, `${name}-queries`, {
      description: 'Tasks',
      groupId: store.securityGroup,
      sourceSecurityGroupId: tasks,
      ipProtocol: 'tcp',
      fromPort: store.port,
      toPort: store.port,
    })
  }
}

/** The load balancers may reach PM2. Beside the load balancers, since it is there before any cluster and whatever those are. */
export function letInPm2(
  scope: Construct,
  { machineSecurityGroup, weights }: Settings['edge'],
  balancers: BaseStack['balancers'],
): void {
  if (weights.pm2 === undefined || machineSecurityGroup === undefined) return
  for (const type of ['webhook', 'api'] as const) {
    const { name, http } = COMPONENTS[type]
    new CfnSecurityGroupIngress(scope, `${name}-pm2`, {
      description: `Requests of ${name}'s load balancer for PM2`,
      groupId: machineSecurityGroup,
      sourceSecurityGroupId: balancers[type].securityGroup.securityGroupId,
      ipProtocol: 'tcp',
      fromPort: http.port,
      toPort: http.port,
    })
  }
}
