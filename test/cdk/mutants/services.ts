import type { Find, Mutant } from './mutant.ts'

/** Definitions and services, done wrongly. */
export const SERVICES_MUTANTS: readonly Mutant[] = [
  [
    'a revision that an update takes away',
    'ec2',
    /takes away the revision of kodus-worker/,
    (_, findWhole) => {
      findWhole('ECS::TaskDefinition', 'kodus-worker').UpdateReplacePolicy = 'Delete'
    },
  ],
  [
    'a fixed host port',
    'ec2',
    /host port is fixed to 3332/,
    (find) => {
      container(find, 'webhook-handler').PortMappings[0].HostPort = 3332
    },
  ],
  [
    'awsvpc on a t3.xlarge',
    'ec2',
    /network mode is awsvpc/,
    (find) => {
      find('ECS::TaskDefinition', 'kodus-worker').NetworkMode = 'awsvpc'
    },
  ],
  [
    'workers that say nothing',
    'ec2',
    /do not say what scaling/,
    (find) => {
      container(find, 'worker').Environment = []
    },
  ],
  [
    'an image by its tag',
    'fargate',
    /not named by digest/,
    (find) => {
      container(find, 'worker').Image = 'kodus-ai/worker:latest'
    },
  ],
  [
    'an image that an update puts back',
    'fargate',
    /image of its own/,
    (find) => {
      container(find, 'worker').Image = `kodus-ai/worker@sha256:${'0'.repeat(64)}`
    },
  ],
  [
    'no load balancer',
    'ec2',
    /has no load balancer/,
    (find) => {
      find('ECS::Service', 'kodus-api-rest-service').LoadBalancers = undefined
    },
  ],
  [
    "a load balancer's wrong container",
    'ec2',
    /port 3332 of worker/,
    (find) => {
      find('ECS::Service', 'kodus-webhook-handler-service').LoadBalancers[0].ContainerName = 'worker'
    },
  ],
  [
    "a load balancer's wrong port",
    'fargate',
    /port 80 of webhook-handler/,
    (find) => {
      find('ECS::Service', 'kodus-webhook-handler-service').LoadBalancers[0].ContainerPort = 80
    },
  ],
  [
    'too little time to stop',
    'ec2',
    /killed after 30 s/,
    (find) => {
      container(find, 'worker').StopTimeout = 30
    },
  ],
  [
    'more time to stop than Fargate has',
    'fargate',
    /grants 120 s/,
    (find) => {
      container(find, 'worker').StopTimeout = 300
    },
  ],
  [
    'more memory than the task has',
    'fargate',
    /more memory than the task/,
    (find) => {
      container(find, 'worker').Memory = 4096
    },
  ],
  [
    'no health check',
    'ec2',
    /no health check/,
    (find) => {
      container(find, 'worker').HealthCheck = undefined
    },
  ],
  [
    'half of the tasks in a deployment',
    'ec2',
    /may leave 50 %/,
    (find) => {
      find('ECS::Service', 'worker').DeploymentConfiguration.MinimumHealthyPercent = 50
    },
  ],
  [
    'no surge',
    'ec2',
    /needs 200 to surge/,
    (find) => {
      find('ECS::Service', 'worker').DeploymentConfiguration.MaximumPercent = 100
    },
  ],
  [
    'no circuit breaker',
    'fargate',
    /not rolled back/,
    (find) => {
      find('ECS::Service', 'worker').DeploymentConfiguration.DeploymentCircuitBreaker.Enable = false
    },
  ],
  [
    'no deployment alarm',
    'fargate',
    /no alarm that rolls/,
    (find) => {
      find('ECS::Service', 'worker').DeploymentConfiguration.Alarms = undefined
    },
  ],
  [
    'a deployment alarm that does not exist',
    'fargate',
    /alarm that does not exist/,
    (find) => {
      find('ECS::Service', 'worker').DeploymentConfiguration.Alarms.AlarmNames = ['none']
    },
  ],
  [
    'a count that undoes scaling',
    'ec2',
    /undo what scaling did/,
    (find) => {
      find('ECS::Service', 'worker').DesiredCount = 5
    },
  ],
  [
    'a way in by Exec',
    'ec2',
    /commands can be run/,
    (find) => {
      find('ECS::Service', 'worker').EnableExecuteCommand = true
    },
  ],
  [
    'public addresses',
    'fargate',
    /public addresses/,
    (find) => {
      find('ECS::Service', 'worker').NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp = 'ENABLED'
    },
  ],
  [
    'a secret in the environment',
    'ec2',
    /DATABASE_URL is in its environment/,
    (find) => {
      container(find, 'api-rest').Environment.push({ Name: 'DATABASE_URL', Value: 'postgresql://a:b@c/d' })
    },
  ],
  [
    "another component's secret",
    'ec2',
    /given the secret LLM_API_KEY/,
    (find) => {
      container(find, 'api-rest').Secrets.push({ Name: 'LLM_API_KEY', ValueFrom: 'arn' })
    },
  ],
  [
    'one role for both',
    'ec2',
    /are one/,
    (find) => {
      const definition = find('ECS::TaskDefinition', 'kodus-worker')
      definition.TaskRoleArn = definition.ExecutionRoleArn
    },
  ],
]

function container(find: Find, name: string) {
  return find('ECS::TaskDefinition', `kodus-${name}`).ContainerDefinitions[0]
}
