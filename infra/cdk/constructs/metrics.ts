import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch'
import type { EnvironmentName } from '../../../src/ecs-names.ts'

/** Where a service runs, as CloudWatch names it. */
export interface ServiceIdentity {
  readonly cluster: string
  readonly service: string
}

const MINUTE = Duration.minutes(1)
const KODUS = 'Kodus'

/** What workers publish. They all say the same of the jobs: the largest of what they say is the newest. */
export function jobMetric(
  name: 'ClaimableJobs' | 'RunningJobs' | 'OldestClaimableJobSeconds' | 'DeadLetters',
  environment: EnvironmentName,
): Metric {
  return new Metric({
    namespace: KODUS,
    metricName: name,
    dimensionsMap: { Environment: environment },
    statistic: 'Maximum',
    period: MINUTE,
  })
}

/** Workers that run: each says its slots once in each minute of the clock (src/worker/tell-cloudwatch.ts). */
export function runningWorkers(environment: EnvironmentName): Metric {
  return workerSlots(environment, 'SampleCount')
}

function workerSlots(environment: EnvironmentName, statistic: 'SampleCount' | 'Sum'): Metric {
  return new Metric({
    namespace: KODUS,
    metricName: 'WorkerSlots',
    dimensionsMap: { Environment: environment },
    statistic,
    period: MINUTE,
  })
}

/** Percent of what the tasks were given. */
export function utilization(
  metricName: 'CPUUtilization' | 'MemoryUtilization',
  { cluster, service }: ServiceIdentity,
): Metric {
  return new Metric({
    namespace: 'AWS/ECS',
    metricName,
    dimensionsMap: { ClusterName: cluster, ServiceName: service },
    statistic: 'Average',
    period: MINUTE,
  })
}

/**
 * Claimable jobs for each running worker, both from the same lines of the log: a count of tasks that arrives later than the jobs would read as no
 * tasks. Where no worker is counted it is all jobs, since CloudWatch has no value where something is divided by
 * zero, and without a value nothing is ever started.
 */
export const BACKLOG_PER_TASK = 'claimable / IF(FILL(running, 0) > 0, FILL(running, 0), 1)'

/**
 * The share of all slots that is busy, and 1 as long as a job waits: so that a low value means nothing to do, not only that
 * jobs are slow to be taken.
 */
export function busyShare(environment: EnvironmentName): MathExpression {
  return new MathExpression({
    expression: 'IF(claimable > 0, 1, busy / slots)',
    usingMetrics: {
      claimable: jobMetric('ClaimableJobs', environment),
      busy: jobMetric('RunningJobs', environment),
      slots: workerSlots(environment, 'Sum'),
    },
    label: 'Busy share of all slots',
    period: MINUTE,
  })
}
