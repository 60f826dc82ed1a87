import { COMPONENTS, type ComponentFacts, type ComponentType } from '../../../src/components.ts'
import { TYPES } from '../../../src/ecs-capacity.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import { map, maps, type Resource, type Template, type Value } from './template.ts'

/** That each component scales as its row of the table says, and by numbers that exist when they are needed. */
export function* checkScaling(template: Template): Generator<string> {
  for (const type of TYPES) yield* checkComponent(template, type)
  yield* checkSilence(template)
}

function* checkComponent(template: Template, type: ComponentType): Generator<string> {
  const { service } = namesOf(type)
  const { scaling }: ComponentFacts = COMPONENTS[type]
  const target = template
    .all('ApplicationAutoScaling::ScalableTarget')
    .find(({ properties }) => String(properties.ResourceId).endsWith(`/${service}`))
  if (!target) return yield `${service} does not scale`
  const [min, max] = [Number(target.properties.MinCapacity), Number(target.properties.MaxCapacity)]
  if (!(min >= 1 && min <= max)) yield `${service} scales from ${min} to ${max}`
  const policies = template
    .all('ApplicationAutoScaling::ScalingPolicy')
    .filter(({ properties }) => properties.ScalingTargetId === `\${${target.id}}`)
  for (const wanted of scaling.targets) {
    const value =
      wanted.metric === 'cpu'
        ? wanted.percent
        : wanted.metric === 'backlog-per-task'
          ? wanted.jobs
          : wanted.perMinute
    const tracked = policies
      .map(({ properties }) => map(properties.TargetTrackingScalingPolicyConfiguration))
      .find((each) => each.TargetValue === value && measures(each, wanted.metric))
    if (!tracked) yield `${service} does not follow ${wanted.metric} at ${value}`
    else yield* checkTracking(service, tracked, scaling)
  }
  yield* checkSteps(template, service, policies, scaling)
}

function measures(tracking: { [key: string]: Value }, metric: string): boolean {
  const predefined = map(tracking.PredefinedMetricSpecification)
  if (metric === 'cpu') return predefined.PredefinedMetricType === 'ECSServiceAverageCPUUtilization'
  if (metric === 'requests-per-task') {
    return (
      predefined.PredefinedMetricType === 'ALBRequestCountPerTarget' && predefined.ResourceLabel !== undefined
    )
  }
  return tracking.CustomizedMetricSpecification !== undefined
}

function* checkTracking(
  service: string,
  tracking: { [key: string]: Value },
  { cooldown, idle }: ComponentFacts['scaling'],
): Generator<string> {
  if (tracking.ScaleOutCooldown !== cooldown.outSeconds || tracking.ScaleInCooldown !== cooldown.inSeconds) {
    yield `${service} does not wait as the table says between two changes`
  }
  if ((tracking.DisableScaleIn === true) !== (idle !== undefined)) {
    yield `${service} is made smaller by a target, and has jobs in hand then`
  }
  const parts = maps(map(tracking.CustomizedMetricSpecification).Metrics)
  const result = parts.find(({ ReturnData }) => ReturnData === true)
  const isGuarded = /\/ IF\(FILL\(\w+, 0\) > 0, FILL\(\w+, 0\), 1\)$/.test(String(result?.Expression))
  if (parts.length > 0 && !isGuarded) yield `${service} divides by its tasks when there are none`
}

function* checkSteps(
  template: Template,
  service: string,
  policies: Resource[],
  { emergency, idle, cooldown }: ComponentFacts['scaling'],
): Generator<string> {
  const steps = policies.flatMap(({ id, properties }) => {
    const step = map(properties.StepScalingPolicyConfiguration)
    const by = Number(maps(step.StepAdjustments)[0]?.ScalingAdjustment)
    const alarm = template
      .all('CloudWatch::Alarm')
      .find((each) => JSON.stringify(each.properties.AlarmActions ?? []).includes(`\${${id}}`))
    return Number.isNaN(by) ? [] : [{ step, by, alarm: alarm?.properties ?? {} }]
  })
  const up = steps.find(({ by }) => by > 0)
  if (emergency && !(up?.by === emergency.addTasks && up.alarm.Threshold === emergency.claimableJobsAbove)) {
    yield `${service} does not add ${emergency.addTasks} tasks above ${emergency.claimableJobsAbove} jobs`
  }
  if (emergency && up?.step.Cooldown !== cooldown.outSeconds)
    yield `${service} adds tasks too often or too late`
  const down = steps.find(({ by }) => by < 0)
  if (!idle) return
  if (down?.by !== -idle.removePercent || down.alarm.Threshold !== idle.busyBelow) {
    yield `${service} is not made smaller when it is idle`
  } else {
    const formula = maps(down.alarm.Metrics)
      .map(({ Expression }) => String(Expression))
      .join()
    if (!/claimable > 0/.test(formula)) yield `${service} is made smaller while jobs wait`
    if (down.alarm.EvaluationPeriods !== idle.forSeconds / 60) yield `${service} is called idle too soon`
    if (down.alarm.TreatMissingData !== 'notBreaching') yield `${service} is made smaller by silence`
  }
}

/** Metrics of which somebody always has a value. */
const NEVER_SILENT = [
  'ClaimableJobs',
  'OldestClaimableJobSeconds',
  'WorkerSlots',
  'HealthyHostCount',
  'ConsumerCount',
]

function* checkSilence(template: Template): Generator<string> {
  const tells = template
    .all('CloudWatch::Alarm')
    .filter(({ properties }) => properties.OKActions !== undefined)
  for (const name of NEVER_SILENT.filter((each) => each !== 'ConsumerCount')) {
    if (!tells.some(({ properties }) => properties.MetricName === name)) yield `no alarm watches ${name}`
  }
  const dead = tells.find(({ properties }) => properties.MetricName === 'DeadLetters')
  if (dead?.properties.Threshold !== 0) yield 'no alarm says that a job was given up'
  for (const { properties } of tells) {
    const silent = NEVER_SILENT.includes(String(properties.MetricName))
    if (silent && properties.TreatMissingData !== 'breaching') {
      yield `${properties.AlarmName} is content when nothing is heard`
    }
    if (/4XX/.test(String(properties.MetricName))) {
      yield `${properties.AlarmName} is raised by 4xx, which is the sender's fault`
    }
  }
}
