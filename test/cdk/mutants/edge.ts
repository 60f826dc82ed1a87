import type { Find, Mutant } from './mutant.ts'

/** Load balancers, and who is let in where, done wrongly. */
export const EDGE_MUTANTS: readonly Mutant[] = [
  [
    'targets of the wrong kind',
    'ec2',
    /not of the kind instance/,
    (find) => {
      find('ElasticLoadBalancingV2::TargetGroup', 'webhook-handler-ec2').TargetType = 'ip'
    },
  ],
  [
    'instances as targets of Fargate',
    'fargate',
    /not of the kind ip/,
    (find) => {
      find('ElasticLoadBalancingV2::TargetGroup', 'api-rest-fargate').TargetType = 'instance'
    },
  ],
  [
    'dynamic ports for everybody',
    'ec2',
    /dynamic ports to others/,
    (find) => {
      const rule = find('EC2::SecurityGroupIngress', '32768')
      rule.SourceSecurityGroupId = undefined
      rule.CidrIp = '10.0.0.0/8'
    },
  ],
  [
    'all ports',
    'ec2',
    /opens 0 to 65535/,
    (find) => {
      Object.assign(find('EC2::SecurityGroupIngress', '32768'), { FromPort: 0, ToPort: 65535 })
    },
  ],
  [
    'the stores for everybody',
    'fargate',
    /lets everybody in/,
    (find) => {
      find('EC2::SecurityGroupIngress', '5432').CidrIp = '0.0.0.0/0'
    },
  ],
  [
    'the API for everybody',
    'fargate',
    /called by everybody/,
    (find) => {
      find('EC2::SecurityGroup', 'api-rest').SecurityGroupIngress[0].CidrIp = '0.0.0.0/0'
    },
  ],
  [
    'hosts that requests do not reach',
    'ec2',
    /api-rest's load balancer does not reach its tasks/,
    (find) => {
      find('EC2::SecurityGroupIngress', "api-rest's load balancer").SourceSecurityGroupId = 'sg-99999999'
    },
  ],
  [
    'tasks that are reached at another port',
    'fargate',
    /api-rest's load balancer does not reach its tasks/,
    (find) => {
      Object.assign(find('EC2::SecurityGroupIngress', '3331'), { FromPort: 3332, ToPort: 3332 })
    },
  ],
  [
    'processes of PM2 that requests do not reach',
    'pm2',
    /webhook-handler's load balancer does not reach PM2/,
    (find) => {
      find('EC2::SecurityGroupIngress', '3332').GroupId = 'sg-99999999'
    },
  ],
  [
    'registered machines that requests do not reach',
    'pm2',
    /webhook-handler's load balancer does not reach its tasks/,
    (find) => {
      find('EC2::SecurityGroupIngress', '32768').GroupId = 'sg-99999999'
    },
  ],
  [
    'a database that tasks do not reach',
    'pm2',
    /do not reach the database/,
    (find) => {
      find('EC2::SecurityGroupIngress', '5432').GroupId = 'sg-99999999'
    },
  ],
  [
    'a broker that tasks do not reach',
    'fargate',
    /do not reach the broker/,
    (find) => {
      find('EC2::SecurityGroupIngress', '5671').SourceSecurityGroupId = 'sg-99999999'
    },
  ],
  [
    'processes of PM2 that are asked too seldom',
    'pm2',
    /stops listening before/,
    (find) => {
      find('ElasticLoadBalancingV2::TargetGroup', 'webhook-handler-pm2').HealthCheckIntervalSeconds = 30
    },
  ],
  [
    'a weight beyond 999',
    'ec2',
    /not from 0 to 999/,
    (find) => {
      forward(find).TargetGroups[0].Weight = 5000
    },
  ],
  [
    'stickiness of webhooks',
    'ec2',
    /ties senders to a target group/,
    (find) => {
      forward(find).TargetGroupStickinessConfig = { Enabled: true, DurationSeconds: 60 }
    },
  ],
  [
    'HTTP',
    'ec2',
    /is not TLS/,
    (find) => {
      find('ElasticLoadBalancingV2::Listener').Protocol = 'HTTP'
    },
  ],
  [
    'five minutes of deregistration',
    'ec2',
    /deregistered in 300 s/,
    (find) => {
      const { TargetGroupAttributes } = find('ElasticLoadBalancingV2::TargetGroup', 'webhook-handler')
      TargetGroupAttributes[0].Value = '300'
    },
  ],
  [
    'tasks that are replaced while the database fails over',
    'ec2',
    /tasks are all replaced/,
    (find) => {
      find('ElasticLoadBalancingV2::TargetGroup', 'webhook-handler').HealthCheckIntervalSeconds = 5
    },
  ],
  [
    'a load balancer that asks whether it lives',
    'ec2',
    /whether it is ready/,
    (find) => {
      find('ElasticLoadBalancingV2::TargetGroup', 'webhook-handler').HealthCheckPath = '/health'
    },
  ],
]

function forward(find: Find) {
  return find('ElasticLoadBalancingV2::Listener').DefaultActions[0].ForwardConfig
}
