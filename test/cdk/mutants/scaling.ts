import { COMPONENTS } from '../../../src/components.ts'
import type { Find, Mutant } from './mutant.ts'

/** The alarm that takes idle workers away. */
const IDLE = `"Threshold":${COMPONENTS.worker.scaling.idle.busyBelow}`

/** How many tasks there are, and what is watched, done wrongly. */
export const SCALING_MUTANTS: readonly Mutant[] = [
  [
    'requests of all tasks together',
    'ec2',
    /does not follow requests-per-task at 200/,
    (find) => {
      tracking(find, 'kodus-api-rest-service-requests-per-task').TargetValue = 1000
    },
  ],
  [
    'a target that takes busy workers away',
    'ec2',
    /jobs in hand/,
    (find) => {
      tracking(find, 'backlog-per-task').DisableScaleIn = false
    },
  ],
  [
    'a division by no tasks',
    'ec2',
    /divides by its tasks/,
    (find) => {
      tracking(find, 'backlog-per-task').CustomizedMetricSpecification.Metrics[2].Expression =
        'claimable / running'
    },
  ],
  [
    "CDK's cooldown",
    'ec2',
    /does not wait as the table says/,
    (find) => {
      tracking(find, 'webhook-handler-service-cpu').ScaleOutCooldown = 300
    },
  ],
  [
    'no emergency',
    'fargate',
    /does not add 5 tasks above 500/,
    (find) => {
      find('CloudWatch::Alarm', 'ScalingEmergency').Threshold = 100
    },
  ],
  [
    'workers taken away while jobs wait',
    'fargate',
    /while jobs wait/,
    (find) => {
      find('CloudWatch::Alarm', IDLE).Metrics[0].Expression = 'busy / slots'
    },
  ],
  [
    'workers taken away by silence',
    'fargate',
    /by silence/,
    (find) => {
      find('CloudWatch::Alarm', IDLE).TreatMissingData = 'breaching'
    },
  ],
  [
    'a least above the most',
    'fargate',
    /scales from 60 to 50/,
    (find) => {
      find('ApplicationAutoScaling::ScalableTarget', 'worker').MinCapacity = 60
    },
  ],
  [
    'a service that does not scale',
    'fargate',
    /kodus-worker-service does not scale/,
    (find) => {
      find('ApplicationAutoScaling::ScalableTarget', 'worker').ResourceId = 'service/other/other'
    },
  ],
  [
    'an alarm that silence contents',
    'fargate',
    /content when nothing is heard/,
    (find) => {
      find('CloudWatch::Alarm', 'oldest-job').TreatMissingData = 'missing'
    },
  ],
  [
    'dead letters that nobody sees',
    'fargate',
    /job was given up/,
    (find) => {
      find('CloudWatch::Alarm', 'worker-dead-letters').Threshold = 10
    },
  ],
  [
    'alarms that do nothing',
    'ec2',
    /worker-oldest-job is raised and nothing happens/,
    (find) => {
      find('CloudWatch::Alarm', 'oldest-job').AlarmActions = undefined
    },
  ],
  [
    'alarms that tell nobody',
    'fargate',
    /worker-oldest-job is raised and nobody is told/,
    (find) => {
      find('CloudWatch::Alarm', 'oldest-job').AlarmActions = ['arn:aws:sns:us-east-1:1:other']
    },
  ],
  [
    'a topic that alarms may not publish to',
    'ec2',
    /may not publish/,
    (find) => {
      const { PolicyDocument } = find('SNS::TopicPolicy')
      PolicyDocument.Statement = PolicyDocument.Statement.filter(
        ({ Effect }: { Effect: string }) => Effect === 'Deny',
      )
    },
  ],
  [
    'an alarm by wrong signatures',
    'ec2',
    /raised by 4xx/,
    (find) => {
      find('CloudWatch::Alarm', 'webhook-handler-errors').MetricName = 'HTTPCode_Target_4XX_Count'
    },
  ],
]

function tracking(find: Find, policy: string) {
  return find('ApplicationAutoScaling::ScalingPolicy', policy).TargetTrackingScalingPolicyConfiguration
}
