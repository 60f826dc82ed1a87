import { Duration } from 'aws-cdk-lib'
import { type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import * as elb from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { COMPONENTS, type ComponentType } from '../../../src/components.ts'
import type { EnvironmentName } from '../../../src/ecs-names.ts'
import { jobMetric, runningWorkers, type ServiceIdentity } from './metrics.ts'

const MINUTE = Duration.minutes(1)
/** Seconds, of 99 in 100 requests. A forge gives a webhook ten. */
const SLOW = { webhook: 2, api: 3 }
/** Answers a minute; a single one may be a client's that left. */
const ERRORS = 5
/** Jobs a minute: what one broken repository or forge does not come to. */
const GIVEN_UP = 5
/** Seconds that a review may wait before somebody should look: seven times what scaling aims at. */
const WAITED_LONG = 900

/** When somebody is told, and what. */
export interface Rule {
  readonly name: string
  readonly what: string
  readonly metric: IMetric
  readonly above?: number
  readonly below?: number
  /** How many minutes of the last how many. */
  readonly minutes: readonly [number, number]
  /** Where no value is the fault itself, because somebody always has one to say. */
  readonly silenceIsFault: boolean
  /**
   * Whether a deployment that raises it is rolled back. Never with silenceIsFault: before the first deployment there is
   * silence, and it has nothing to go back to.
   */
  readonly rollsBack?: boolean
}

/** What is watched. */
export interface Watched {
  readonly environment: EnvironmentName
  readonly identity: ServiceIdentity
  readonly minTasks: number
  readonly traffic:
    | { readonly balancer: elb.ApplicationLoadBalancer; readonly targets: elb.ApplicationTargetGroup }
    | undefined
  readonly brokerName: string | undefined
}

/** All that is watched of a component. */
export function rulesOf(type: ComponentType, watched: Watched): Rule[] {
  const jobs = type === 'worker' ? jobRules(watched) : []
  return [...httpRules(type, watched), ...jobs]
}

function tasksMissing(metric: IMetric, { minTasks }: Watched): Rule {
  return {
    name: 'tasks-missing',
    what: `Fewer than ${minTasks} tasks are at work, or nobody says.`,
    metric,
    below: minTasks,
    minutes: [5, 5],
    silenceIsFault: true,
  }
}

function httpRules(type: ComponentType, watched: Watched): Rule[] {
  const { traffic } = watched
  if (!traffic || type === 'worker') return []
  const { balancer, targets } = traffic
  // Without a request there is no answer, and none of these has a value: at night that is well.
  const silenceIsFault = false
  const count = { statistic: 'Sum', period: MINUTE }
  const ready = targets.metrics.healthyHostCount({ statistic: 'Minimum', period: MINUTE })
  return [
    {
      name: 'errors',
      // 5xx alone: a 401 is a webhook with a wrong signature, which is the sender's fault and not a deployment's.
      what: `${COMPONENTS[type].name} answers with 5xx.`,
      metric: targets.metrics.httpCodeTarget(elb.HttpCodeTarget.TARGET_5XX_COUNT, count),
      above: ERRORS,
      minutes: [2, 3],
      silenceIsFault,
      rollsBack: true,
    },
    {
      name: 'latency',
      what: `One in a hundred requests takes longer than ${SLOW[type]} s.`,
      metric: targets.metrics.targetResponseTime({ statistic: 'p99', period: MINUTE }),
      above: SLOW[type],
      minutes: [3, 5],
      silenceIsFault,
      rollsBack: true,
    },
    {
      name: 'refused',
      what: 'The load balancer answers with 5xx itself: nobody is there to answer.',
      metric: balancer.metrics.httpCodeElb(elb.HttpCodeElb.ELB_5XX_COUNT, count),
      above: ERRORS,
      minutes: [2, 3],
      silenceIsFault,
      rollsBack: true,
    },
    tasksMissing(ready, watched),
    {
      name: 'nobody-ready',
      what: 'No target says that it is ready.',
      metric: ready,
      below: 1,
      minutes: [2, 3],
      silenceIsFault: true,
    },
  ]
}

function jobRules(watched: Watched): Rule[] {
  const { environment, brokerName } = watched
  const emergency = COMPONENTS.worker.scaling.emergency.claimableJobsAbove
  return [
    {
      name: 'queue-deep',
      what: `More than ${emergency} jobs could be claimed, and scaling has not caught up in ten minutes; or no worker says.`,
      metric: jobMetric('ClaimableJobs', environment),
      above: emergency,
      minutes: [10, 10],
      silenceIsFault: true,
    },
    {
      name: 'oldest-job',
      what: `A job has waited longer than ${WAITED_LONG} s, or no worker says.`,
      metric: jobMetric('OldestClaimableJobSeconds', environment),
      above: WAITED_LONG,
      minutes: [3, 3],
      silenceIsFault: true,
    },
    {
      name: 'dead-letters',
      what: 'Jobs were given up: `kodus jobs` shows them.',
      metric: jobMetric('DeadLetters', environment),
      above: 0,
      minutes: [1, 1],
      silenceIsFault: false,
    },
    {
      name: 'many-given-up',
      what: `More than ${GIVEN_UP} jobs were given up in one minute.`,
      metric: new MathExpression({
        expression: 'DIFF(dead)',
        usingMetrics: { dead: jobMetric('DeadLetters', environment) },
        period: MINUTE,
      }),
      above: GIVEN_UP,
      minutes: [1, 3],
      silenceIsFault: false,
      rollsBack: true,
    },
    tasksMissing(runningWorkers(environment), watched),
    ...(brokerName === undefined ? [] : [consumers(brokerName)]),
  ]
}

function consumers(brokerName: string): Rule {
  return {
    name: 'no-consumers',
    what: 'Nobody consumes from RabbitMQ, or it is silent.',
    metric: new Metric({
      namespace: 'AWS/AmazonMQ',
      metricName: 'ConsumerCount',
      dimensionsMap: { Broker: brokerName },
      statistic: 'Minimum',
      period: MINUTE,
    }),
    below: 1,
    minutes: [5, 5],
    silenceIsFault: true,
  }
}
