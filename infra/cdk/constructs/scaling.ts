import * as scaling from 'aws-cdk-lib/aws-applicationautoscaling'
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  type Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import {
  COMPONENTS,
  type ComponentFacts,
  type ComponentType,
  type ScalingTarget,
} from '../../../src/components.ts'
import type { EnvironmentName } from '../../../src/ecs-names.ts'
import { BACKLOG_PER_TASK, busyShare, jobMetric, runningWorkers, type ServiceIdentity } from './metrics.ts'

const MINUTE = 60

interface Props {
  readonly environment: EnvironmentName
  readonly identity: ServiceIdentity
  readonly tasks: { readonly min: number; readonly max: number }
  /** How ECS's scaling names load balancer and target group. */
  readonly requestLabel: string | undefined
}

/** How many tasks a component has, by its row of the component table. Nothing else sets that number. */
export class ComponentScaling extends Construct {
  readonly target: scaling.CfnScalableTarget
  readonly #props: Props

  constructor(scope: Construct, type: ComponentType, props: Props) {
    super(scope, 'Scaling')
    this.#props = props
    const facts: ComponentFacts['scaling'] = COMPONENTS[type].scaling
    const { cluster, service } = props.identity
    this.target = new scaling.CfnScalableTarget(this, 'Tasks', {
      serviceNamespace: 'ecs',
      scalableDimension: 'ecs:service:DesiredCount',
      resourceId: `service/${cluster}/${service}`,
      minCapacity: props.tasks.min,
      maxCapacity: props.tasks.max,
    })
    for (const target of facts.targets) this.#track(target, facts)
    if (facts.emergency) this.#addInEmergency(facts.emergency, facts.cooldown.outSeconds)
    if (facts.idle) this.#removeWhenIdle(facts.idle, facts.cooldown.inSeconds)
  }

  #track(target: ScalingTarget, { cooldown, idle }: ComponentFacts['scaling']): void {
    new scaling.CfnScalingPolicy(this, target.metric, {
      policyName: `${this.#props.identity.service}-${target.metric}`,
      policyType: 'TargetTrackingScaling',
      scalingTargetId: this.target.ref,
      targetTrackingScalingPolicyConfiguration: {
        ...this.#measured(target),
        scaleOutCooldown: cooldown.outSeconds,
        scaleInCooldown: cooldown.inSeconds,
        disableScaleIn: idle !== undefined,
      },
    })
  }

  #measured(target: ScalingTarget) {
    const predefined = (predefinedMetricType: string, resourceLabel?: string) => ({
      predefinedMetricSpecification: { predefinedMetricType, ...(resourceLabel && { resourceLabel }) },
    })
    switch (target.metric) {
      case 'cpu':
        return { targetValue: target.percent, ...predefined('ECSServiceAverageCPUUtilization') }
      case 'requests-per-task':
        // Of one task, not of all: the table's number is that too.
        return {
          targetValue: target.perMinute,
          ...predefined('ALBRequestCountPerTarget', this.#props.requestLabel),
        }
      case 'backlog-per-task':
        return { targetValue: target.jobs, customizedMetricSpecification: { metrics: this.#backlog() } }
    }
  }

  #backlog(): scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty[] {
    const { environment } = this.#props
    return [
      part('claimable', jobMetric('ClaimableJobs', environment)),
      part('running', runningWorkers(environment)),
      { id: 'backlog', expression: BACKLOG_PER_TASK, label: 'Claimable jobs per task', returnData: true },
    ]
  }

  #addInEmergency(
    { claimableJobsAbove, addTasks }: NonNullable<ComponentFacts['scaling']['emergency']>,
    cooldown: number,
  ): void {
    const policy = this.#step('Emergency', {
      adjustmentType: 'ChangeInCapacity',
      cooldown,
      metricAggregationType: 'Maximum',
      stepAdjustments: [{ metricIntervalLowerBound: 0, scalingAdjustment: addTasks }],
    })
    this.#when('TooManyWait', policy, {
      metric: jobMetric('ClaimableJobs', this.#props.environment),
      threshold: claimableJobsAbove,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: 1,
    })
  }

  #removeWhenIdle(
    { busyBelow, forSeconds, removePercent }: NonNullable<ComponentFacts['scaling']['idle']>,
    cooldown: number,
  ): void {
    const policy = this.#step('Idle', {
      adjustmentType: 'PercentChangeInCapacity',
      minAdjustmentMagnitude: 1,
      cooldown,
      metricAggregationType: 'Average',
      stepAdjustments: [{ metricIntervalUpperBound: 0, scalingAdjustment: -removePercent }],
    })
    this.#when('IsIdle', policy, {
      metric: busyShare(this.#props.environment),
      threshold: busyBelow,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: forSeconds / MINUTE,
    })
  }

  #step(
    id: string,
    stepScalingPolicyConfiguration: scaling.CfnScalingPolicy.StepScalingPolicyConfigurationProperty,
  ): scaling.CfnScalingPolicy {
    return new scaling.CfnScalingPolicy(this, id, {
      policyName: `${this.#props.identity.service}-${id.toLowerCase()}`,
      policyType: 'StepScaling',
      scalingTargetId: this.target.ref,
      stepScalingPolicyConfiguration,
    })
  }

  /** Silence neither adds nor removes tasks; that it is silent is an alarm of its own. */
  #when(
    id: string,
    policy: scaling.CfnScalingPolicy,
    condition: {
      metric: IMetric
      threshold: number
      comparisonOperator: ComparisonOperator
      evaluationPeriods: number
    },
  ): void {
    const alarm = new Alarm(this, id, { ...condition, treatMissingData: TreatMissingData.NOT_BREACHING })
    alarm.addAlarmAction({ bind: () => ({ alarmActionArn: policy.ref }) })
  }
}

function part(id: string, metric: Metric): scaling.CfnScalingPolicy.TargetTrackingMetricDataQueryProperty {
  const { namespace, metricName, dimensions = {}, statistic } = metric
  const named = Object.entries(dimensions).map(([name, value]) => ({ name, value: String(value) }))
  return {
    id,
    returnData: false,
    metricStat: { metric: { namespace, metricName, dimensions: named }, stat: statistic },
  }
}
