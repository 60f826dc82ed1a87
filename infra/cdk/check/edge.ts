import { COMPONENTS, type ComponentFacts } from '../../../src/components.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import { DYNAMIC_PORTS } from '../settings/edge.ts'
import { map, maps, type Template, type Value } from './template.ts'

const EVERYBODY = /^(0\.0\.0\.0|::)\/0$/

/** Load balancers, and who is let in where. */
export function* checkEdge(template: Template): Generator<string> {
  yield* checkListeners(template)
  for (const type of ['webhook', 'api'] as const) yield* checkTargetGroups(template, COMPONENTS[type])
  yield* checkWhoIsLetIn(template)
  const { loadBalancer } = namesOf('api')
  const api = template
    .all('ElasticLoadBalancingV2::LoadBalancer')
    .find(({ properties }) => properties.Name === loadBalancer)
  const isOpen = template
    .all('EC2::SecurityGroup')
    .filter(({ id }) => JSON.stringify(api?.properties.SecurityGroups).includes(`\${${id}.`))
    .some(({ properties }) =>
      maps(properties.SecurityGroupIngress).some(({ CidrIp }) => EVERYBODY.test(String(CidrIp))),
    )
  if (!api || isOpen) yield 'the API may be called by everybody'
}

function* checkListeners(template: Template): Generator<string> {
  const listeners = template.all('ElasticLoadBalancingV2::Listener')
  if (listeners.length === 0) yield 'nothing listens'
  for (const { id, properties } of listeners) {
    if (properties.Protocol !== 'HTTPS' || !/TLS13/.test(String(properties.SslPolicy)))
      yield `${id} is not TLS`
    for (const action of maps(properties.DefaultActions)) {
      const forward = map(action.ForwardConfig)
      const weights = maps(forward.TargetGroups).map(({ Weight }) => Number(Weight))
      if (weights.some((weight) => !(Number.isInteger(weight) && weight >= 0 && weight <= 999))) {
        yield `${id} has a weight that is not from 0 to 999`
      }
      if (!weights.some((weight) => weight > 0)) yield `${id} sends requests to nobody`
      if (map(forward.TargetGroupStickinessConfig).Enabled === true) {
        yield `${id} ties senders to a target group: weights would not be followed`
      }
    }
  }
}

function* checkTargetGroups(template: Template, { name, http, stop }: ComponentFacts): Generator<string> {
  const groups = template
    .all('ElasticLoadBalancingV2::TargetGroup')
    .filter(({ properties }) => String(properties.Name).startsWith(name))
  if (groups.length === 0) yield `${name} has no target group`
  for (const { properties } of groups) {
    const delay = attribute(properties.TargetGroupAttributes, 'deregistration_delay.timeout_seconds')
    const leftOutAfter =
      Number(properties.HealthCheckIntervalSeconds) * Number(properties.UnhealthyThresholdCount)
    if (properties.HealthCheckPath !== http?.ready) yield `${name} is not asked whether it is ready`
    if (!(Number(delay) >= stop.goesOnSeconds && Number(delay) <= 60)) {
      yield `${name} is deregistered in ${delay} s: fewer than it goes on for, or more than a deployment should wait`
    }
    const isEcs = !String(properties.Name).endsWith('-pm2')
    if (isEcs && !(leftOutAfter >= 120))
      yield `${name}'s tasks are all replaced when the database is away for ${leftOutAfter} s`
    if (!isEcs && !(leftOutAfter <= stop.goesOnSeconds)) {
      yield `${name} stops listening before its load balancer has left it out (${leftOutAfter} s)`
    }
    if (attribute(properties.TargetGroupAttributes, 'stickiness.enabled') === 'true') {
      yield `${name} ties senders to a task`
    }
  }
}

function* checkWhoIsLetIn(template: Template): Generator<string> {
  const rules = [
    ...template.all('EC2::SecurityGroupIngress').map(({ id, properties }) => ({ id, rule: properties })),
    ...template
      .all('EC2::SecurityGroup')
      .flatMap(({ id, properties }) => maps(properties.SecurityGroupIngress).map((rule) => ({ id, rule }))),
  ]
  for (const { id, rule } of rules) {
    const [from, to] = [Number(rule.FromPort), Number(rule.ToPort)]
    const isEverybody = EVERYBODY.test(String(rule.CidrIp ?? rule.CidrIpv6))
    if (isEverybody && (from !== 443 || to !== 443)) yield `${id} lets everybody in, not only to 443`
    const isDynamic = from === DYNAMIC_PORTS.from && to === DYNAMIC_PORTS.to
    if (from !== to && !isDynamic) yield `${id} opens ${from} to ${to}`
    if (isDynamic && !/SecurityGroup/.test(String(rule.SourceSecurityGroupId))) {
      yield `${id} opens the dynamic ports to others than a load balancer`
    }
  }
}

function attribute(attributes: Value, key: string): Value {
  return maps(attributes).find(({ Key }) => Key === key)?.Value
}
