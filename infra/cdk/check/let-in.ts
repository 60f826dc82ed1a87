import { COMPONENTS } from '../../../src/components.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import { DYNAMIC_PORTS } from '../settings/edge.ts'
import type { Settings } from '../settings/settings.ts'
import { map, type Template, type Value } from './template.ts'

interface Ports {
  readonly from: number
  readonly to: number
}

/** That requests reach whoever answers them, and tasks the stores: each needs a rule, and nothing is said where one is missing. */
export function* checkLetIn(template: Template, settings: Settings): Generator<string> {
  const { edge, launch } = settings
  const tasks = groupsOfTasks(template, settings)
  for (const type of ['webhook', 'api'] as const) {
    const { name, http } = COMPONENTS[type]
    const { loadBalancer } = namesOf(type)
    const balancer = template
      .all('ElasticLoadBalancingV2::LoadBalancer')
      .find(({ properties }) => properties.Name === loadBalancer)?.properties.SecurityGroups
    const own: Ports = { from: http.port, to: http.port }
    const isLetIn = (groups: Value, ports: Ports) => lets(template, balancer, groups, ports)
    if (!isLetIn(tasks, launch === 'ec2' ? DYNAMIC_PORTS : own)) {
      yield `${name}'s load balancer does not reach its tasks`
    }
    const { machineSecurityGroup, weights } = edge
    if (weights.pm2 !== undefined && machineSecurityGroup && !isLetIn([machineSecurityGroup], own)) {
      yield `${name}'s load balancer does not reach PM2`
    }
  }
  for (const { what, groups, port } of storesOf(template, settings)) {
    if (!lets(template, tasks, groups, { from: port, to: port })) yield `tasks do not reach the ${what}`
  }
}

function groupsOfTasks(template: Template, { hosts, edge }: Settings): Value {
  if (hosts?.machines === 'registered') return [edge.machineSecurityGroup]
  if (hosts) {
    const [launch] = template.all('EC2::LaunchTemplate')
    return map(launch?.properties.LaunchTemplateData).SecurityGroupIds
  }
  const [service] = template.all('ECS::Service')
  return map(map(service?.properties.NetworkConfiguration).AwsvpcConfiguration).SecurityGroups
}

/** Those whose group is ours to open. */
function storesOf(template: Template, { database, broker }: Settings) {
  const existing = (what: string, store: typeof broker, port: number) =>
    store && 'urlSecret' in store && store.securityGroup
      ? [{ what, groups: [store.securityGroup] as Value, port }]
      : []
  const made = (what: string, type: string, groups: string, port: number) =>
    template.all(type).map(({ properties }) => ({ what, groups: properties[groups], port }))
  return [
    ...existing('database', database, 5432),
    ...existing('broker', broker, 5671),
    ...made('database', 'RDS::DBInstance', 'VPCSecurityGroups', 5432),
    ...made('broker', 'AmazonMQ::Broker', 'SecurityGroups', 5671),
  ]
}

function lets(template: Template, from: Value, into: Value, ports: Ports): boolean {
  const has = (groups: Value, group: Value) =>
    group !== undefined && Array.isArray(groups) && groups.includes(group)
  return template
    .all('EC2::SecurityGroupIngress')
    .some(
      ({ properties }) =>
        has(into, properties.GroupId) &&
        has(from, properties.SourceSecurityGroupId) &&
        properties.IpProtocol === 'tcp' &&
        properties.FromPort === ports.from &&
        properties.ToPort === ports.to,
    )
}
