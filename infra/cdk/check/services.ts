import { COMPONENTS, type ComponentType } from '../../../src/components.ts'
import { TYPES } from '../../../src/ecs-capacity.ts'
import { imageParameter, namesOf } from '../../../src/ecs-names.ts'
import { problemsOf } from '../../ecs/check-definition.ts'
import type { ServiceDefinition, TaskDefinition } from '../../ecs/shapes.ts'
import type { Settings } from '../settings/settings.ts'
import { map, maps, type Resource, type Template, type Value } from './template.ts'

/** Definitions and services: by the rules of infra/ecs, and what only a template can have wrong. */
export function* checkServices(template: Template, settings: Settings): Generator<string> {
  for (const type of TYPES) yield* checkService(template, settings, type)
}

function* checkService(template: Template, settings: Settings, type: ComponentType): Generator<string> {
  const { service, family, container } = namesOf(type)
  const found = template.all('ECS::Service').find(({ properties }) => properties.ServiceName === service)
  const definition = template
    .all('ECS::TaskDefinition')
    .find(({ properties }) => properties.Family === family)
  if (!found || !definition) return yield `${service} or ${family} is missing`
  yield* problemsOf(toApi(definition) as TaskDefinition, toApi(found) as ServiceDefinition)
  if (found.properties.TaskDefinition !== `\${${definition.id}}`) yield `${service} runs another definition`
  if (!definition.stays) yield `an update takes away the revision of ${family} that a rollback goes to`
  if (found.properties.DesiredCount !== undefined) {
    yield `${service} has a count: each update would undo what scaling did`
  }
  const { Alarms } = map(found.properties.DeploymentConfiguration)
  const names = map(Alarms).AlarmNames
  const known = template.all('CloudWatch::Alarm').map(({ properties }) => properties.AlarmName)
  if (!Array.isArray(names) || names.length === 0)
    yield `${service} has no alarm that rolls a deployment back`
  else if (names.some((name) => !known.includes(name)))
    yield `${service} waits for an alarm that does not exist`

  const [main] = maps(definition.properties.ContainerDefinitions).filter(({ Name }) => Name === container)
  const parameter = template.parameters[String(main?.Image).slice(2, -1)]
  if (parameter?.Default !== imageParameter(settings.environment, type)) {
    yield `${family} has an image of its own: an update of the infrastructure would undo deployments`
  }
  const told = maps(main?.Environment).find(({ Name }) => Name === 'CLOUDWATCH_METRICS_ENVIRONMENT')
  if (type === 'worker' && told?.Value !== settings.environment) {
    yield 'the workers do not say what scaling and alarms go by'
  }
  yield* checkTargets(template, found, type, settings)
}

function* checkTargets(
  template: Template,
  service: Resource,
  type: ComponentType,
  { launch }: Settings,
): Generator<string> {
  for (const { TargetGroupArn } of maps(service.properties.LoadBalancers)) {
    const group = template
      .all('ElasticLoadBalancingV2::TargetGroup')
      .find(({ id }) => TargetGroupArn === `\${${id}}`)
    const kind = launch === 'ec2' ? 'instance' : 'ip'
    if (group?.properties.TargetType !== kind) {
      yield `${COMPONENTS[type].name} is on ${launch}, and its targets are not of the kind ${kind}`
    }
  }
}

/** CloudFormation's names begin with a capital and are otherwise the API's, but for one. */
function toApi({ properties }: Resource): unknown {
  const { PlacementStrategies, ...rest } = properties
  return lowered(
    PlacementStrategies === undefined ? rest : { ...rest, PlacementStrategy: PlacementStrategies },
  )
}

function lowered(value: Value): Value {
  if (Array.isArray(value)) return value.map(lowered)
  if (typeof value !== 'object') return value
  const entries = Object.entries(value as { [key: string]: Value })
  return Object.fromEntries(
    entries.map(([key, each]) => [key.charAt(0).toLowerCase() + key.slice(1), lowered(each)]),
  )
}
