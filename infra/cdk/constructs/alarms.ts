import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import type { ITopic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { ComponentType } from '../../../src/components.ts'
import { type Rule, rulesOf, type Watched } from './alarm-rules.ts'

export interface AlarmProps extends Watched {
  /** Part of the names, so that two launch types can be side by side. */
  readonly prefix: string
  readonly topic: ITopic
}

/** What somebody is told of a component, and what takes a deployment back. */
export class ComponentAlarms extends Construct {
  readonly all: Alarm[]
  /** Names of those that take a deployment back. */
  readonly rollBack: string[]

  constructor(scope: Construct, type: ComponentType, props: AlarmProps) {
    super(scope, 'Alarms')
    const rules = rulesOf(type, props)
    this.all = rules.map((rule) => this.#alarm(rule, props))
    const name = (rule: Rule) => alarmName(props.prefix, rule)
    this.rollBack = rules.filter((rule) => rule.rollsBack).map(name)
  }

  #alarm(rule: Rule, { prefix, topic }: AlarmProps): Alarm {
    const [datapointsToAlarm, evaluationPeriods] = rule.minutes
    const alarm = new Alarm(this, rule.name, {
      alarmName: alarmName(prefix, rule),
      alarmDescription: rule.what,
      metric: rule.metric,
      threshold: rule.above ?? rule.below ?? 0,
      comparisonOperator:
        rule.above === undefined
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_THRESHOLD,
      datapointsToAlarm,
      evaluationPeriods,
      treatMissingData: rule.silenceIsFault ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    })
    alarm.addAlarmAction(new SnsAction(topic))
    alarm.addOkAction(new SnsAction(topic))
    return alarm
  }
}

function alarmName(prefix: string, { name }: Rule): string {
  return `${prefix}-${name}`
}
