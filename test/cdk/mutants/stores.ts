import type { Find, Mutant } from './mutant.ts'

/** Hosts, stores, roles, logs and images, done wrongly. */
export const STORES_MUTANTS: readonly Mutant[] = [
  ['no reserved ports', 'ec2', /PM2's ports are not reserved/, (find) => userData(find, /3332/, '1')],
  [
    'no reserved memory',
    'ec2',
    /no memory for themselves/,
    (find) => userData(find, /RESERVED_MEMORY=\d+/, 'X=1'),
  ],
  ["Upstart's command", 'ec2', /waits for itself/, (find) => userData(find, /$/, '\nsudo start ecs')],
  [
    'fewer hosts than tasks need',
    'ec2',
    /fewer hosts/,
    (find) => {
      find('AutoScaling::AutoScalingGroup').MinSize = '1'
    },
  ],
  [
    'a host that is taken away with tasks on it',
    'ec2',
    /taken away with tasks/,
    (find) => {
      find('ECS::CapacityProvider').AutoScalingGroupProvider.ManagedTerminationProtection = 'DISABLED'
    },
  ],
  [
    'hosts that never grow',
    'ec2',
    /never more hosts/,
    (find) => {
      find('ECS::CapacityProvider').AutoScalingGroupProvider.ManagedScaling.Status = 'DISABLED'
    },
  ],
  [
    'hosts that the cluster may be told of too early',
    'ec2',
    /before there are any/,
    (find) => {
      find('ECS::ClusterCapacityProviderAssociations').CapacityProviders = ['kodus-hosts']
    },
  ],
  [
    'IMDSv1',
    'ec2',
    /IMDSv1/,
    (find) => {
      find('EC2::LaunchTemplate').LaunchTemplateData.MetadataOptions.HttpTokens = 'optional'
    },
  ],
  [
    "the host's role for its containers",
    'ec2',
    /hosts' role/,
    (find) => {
      find('EC2::LaunchTemplate').LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit = 2
    },
  ],
  [
    'a task role that may stop tasks',
    'ec2',
    /may more than it needs/,
    (find) => {
      find('IAM::Policy', 'UpdateTaskProtection').PolicyDocument.Statement[0].Action.push('ecs:StopTask')
    },
  ],
  [
    'a worker that cannot protect its jobs',
    'ec2',
    /cannot keep its tasks/,
    (find) => {
      find('IAM::Policy', 'UpdateTaskProtection').PolicyDocument.Statement = []
    },
  ],
  [
    'all secrets for one role',
    'fargate',
    /exactly the secrets/,
    (find) => {
      const { Statement } = find('IAM::Policy', 'webhookhandlerrolesExecution').PolicyDocument
      for (const each of Statement) if (each.Action === 'secretsmanager:GetSecretValue') each.Resource = '*'
    },
  ],
  [
    "a policy of somebody else's",
    'fargate',
    /somebody else's/,
    (find) => {
      find('IAM::Role', 'kodus-worker-task').ManagedPolicyArns = ['arn:aws:iam::aws:policy/PowerUserAccess']
    },
  ],
  [
    'logs for ever',
    'ec2',
    /kept for ever/,
    (find) => {
      find('Logs::LogGroup', '/ecs/kodus-worker').RetentionInDays = undefined
    },
  ],
  [
    'tags that change',
    'ec2',
    /can change its meaning/,
    (find) => {
      find('ECR::Repository', 'kodus-ai/worker').ImageTagMutability = 'MUTABLE'
    },
  ],
  [
    'images that another account cannot read although it was named',
    'pm2',
    /kodus-ai\/worker cannot be read by 222222222222/,
    (find) => {
      find('ECR::Repository', 'kodus-ai/worker').RepositoryPolicyText = undefined
    },
  ],
  [
    'images that anybody can read',
    'ec2',
    /kodus-ai\/worker can be read by somebody/,
    (find) => {
      find('ECR::Repository', 'kodus-ai/worker').RepositoryPolicyText = {
        Statement: [{ Action: 'ecr:BatchGetImage', Effect: 'Allow', Principal: { AWS: '*' } }],
      }
    },
  ],
  [
    "another account's images, of whatever component",
    'fargate',
    /kodus-worker-execution does not pull exactly/,
    (find) => {
      const { Statement } = find('IAM::Policy', ':111111111111:repository/kodus-ai/worker').PolicyDocument
      for (const { Resource } of Statement) {
        if (Array.isArray(Resource)) Resource[1] = 'arn:aws:ecr:us-east-1:111111111111:repository/*'
      }
    },
  ],
  [
    'a database in one zone',
    'ec2',
    /database is in one zone/,
    (find) => {
      find('RDS::DBInstance').MultiAZ = false
    },
  ],
  [
    'a database without TLS',
    'ec2',
    /without TLS/,
    (find) => {
      find('RDS::DBParameterGroup').Parameters['rds.force_ssl'] = '0'
    },
  ],
  [
    'a broker of one node',
    'ec2',
    /broker is one node/,
    (find) => {
      find('AmazonMQ::Broker').DeploymentMode = 'SINGLE_INSTANCE'
    },
  ],
  [
    'a URL that verifies nothing',
    'ec2',
    /without TLS that is verified/,
    (find) => {
      const url = find('SecretsManager::Secret', 'sslmode')
      url.SecretString = JSON.parse(JSON.stringify(url.SecretString).replace('verify-full', 'disable'))
    },
  ],
  [
    'a password in the template',
    'ec2',
    /readable in the template/,
    (find) => {
      find('SecretsManager::Secret', 'sslmode').SecretString =
        'postgresql://kodus:kodus@db/kodus?sslmode=verify-full'
    },
  ],
]

function userData(find: Find, from: RegExp, to: string): void {
  const { LaunchTemplateData } = find('EC2::LaunchTemplate')
  const { UserData } = LaunchTemplateData
  UserData['Fn::Base64'] = UserData['Fn::Base64'].replace(from, to)
}
