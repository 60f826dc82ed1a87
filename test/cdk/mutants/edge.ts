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
    'a load balancer that asks too seldom',
    'ec2',
    /stops listening before/,
    (find) => {
      find('ElasticLoadBalancingV2::TargetGroup', 'webhook-handler').HealthCheckIntervalSeconds = 30
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
