import { Dashboard, GraphWidget, type IMetric, type IWidget } from 'aws-cdk-lib/aws-cloudwatch'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { Construct } from 'constructs'
import { COMPONENTS } from '../../../src/components.ts'
import type { AlarmProps } from './alarms.ts'
import { busyShare, jobMetric, runningWorkers, utilization } from './metrics.ts'

/** One page for a component: its tasks, and its requests or its jobs. */
export function makeDashboard(scope: Construct, props: AlarmProps): Dashboard {
  const { identity, prefix, traffic } = props
  const tasks = [
    graph('Tasks at work', [
      traffic ? traffic.targets.metrics.healthyHostCount() : runningWorkers(props.environment),
    ]),
    graph('Processor and memory, % of what tasks are given', [
      utilization('CPUUtilization', identity),
      utilization('MemoryUtilization', identity),
    ]),
  ]
  return new Dashboard(scope, 'Dashboard', {
    dashboardName: prefix,
    widgets: [tasks, traffic ? requests(traffic) : jobs(props)],
  })
}

function requests({ balancer, targets }: NonNullable<AlarmProps['traffic']>): IWidget[] {
  const time = (statistic: string) => targets.metrics.targetResponseTime({ statistic, label: statistic })
  return [
    graph('Latency, seconds', [time('p50'), time('p99')]),
    graph('Answers', [
      targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_2XX_COUNT),
      targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_4XX_COUNT),
      targets.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT),
      balancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT),
    ]),
    graph('Requests for each target', [targets.metrics.requestCountPerTarget()]),
    graph('Targets that are not ready', [targets.metrics.unhealthyHostCount()]),
  ]
}

function jobs({ environment }: AlarmProps): IWidget[] {
  const { emergency } = COMPONENTS.worker.scaling
  return [
    new GraphWidget({
      title: 'Jobs',
      left: [jobMetric('ClaimableJobs', environment), jobMetric('RunningJobs', environment)],
      leftAnnotations: [{ value: emergency.claimableJobsAbove, label: `+${emergency.addTasks} tasks` }],
    }),
    graph('Oldest job, seconds', [jobMetric('OldestClaimableJobSeconds', environment)]),
    graph('Dead letters', [jobMetric('DeadLetters', environment)]),
    graph('Busy share of all slots', [busyShare(environment)]),
  ]
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, left })
}
