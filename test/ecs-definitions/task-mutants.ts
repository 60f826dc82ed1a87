import type { ContainerDefinition } from '../../infra/ecs/shapes.ts'
import type { Mutable, Mutant } from './sound-pair.ts'

const URL_WITH_PASSWORD = 'postgresql://kodus:secret@db/kodus'

/** Mistakes in a task definition. */
export const TASK_MUTANTS: Record<string, Mutant> = {
  'a fixed host port': {
    of: ['webhook', 'ec2'],
    says: /host port is fixed to 3332/,
    change: ({ container }) => Object.assign(container.portMappings[0] ?? {}, { hostPort: 3332 }),
  },
  'a host port on Fargate': {
    of: ['webhook', 'fargate'],
    says: /no host ports/,
    change: ({ container }) => Object.assign(container.portMappings[0] ?? {}, { hostPort: 80 }),
  },
  'awsvpc on EC2': {
    of: ['api', 'ec2'],
    says: /network mode is awsvpc/,
    change: ({ task }) => Object.assign(task, { networkMode: 'awsvpc' }),
  },
  'bridge on Fargate': {
    of: ['api', 'fargate'],
    says: /network mode is bridge/,
    change: ({ task }) => Object.assign(task, { networkMode: 'bridge' }),
  },
  'a mutable tag': {
    of: ['api', 'ec2'],
    says: /not named by digest/,
    change: ({ container }) => Object.assign(container, { image: 'repository/kodus-ai:api-rest-latest' }),
  },
  'an image without any tag': {
    of: ['api', 'fargate'],
    says: /not named by digest/,
    change: ({ container }) => Object.assign(container, { image: 'repository/kodus-ai' }),
  },
  'no time to stop': {
    of: ['worker', 'ec2'],
    says: /killed after 30 s, and needs 115 s/,
    change: ({ container }) => Reflect.deleteProperty(container, 'stopTimeout'),
  },
  'less time to stop than the grace takes': {
    of: ['worker', 'fargate'],
    says: /killed after 100 s/,
    change: ({ container }) => Object.assign(container, { stopTimeout: 100 }),
  },
  'a longer grace than the time to stop': {
    of: ['worker', 'fargate'],
    says: /needs 310 s/,
    change: ({ container }) => setVariable(container, 'WORKER_GRACE_SECONDS', '300'),
  },
  'more time to stop than Fargate grants': {
    of: ['worker', 'fargate'],
    says: /Fargate grants 120 s to stop, not 300/,
    change: ({ container }) => Object.assign(container, { stopTimeout: 300 }),
  },
  'DATABASE_URL in the environment': {
    of: ['api', 'ec2'],
    says: /DATABASE_URL is in its environment/,
    change: ({ container }) => setVariable(container, 'DATABASE_URL', 'postgresql://db/kodus'),
  },
  'RABBITMQ_URL in the environment': {
    of: ['worker', 'ec2'],
    says: /RABBITMQ_URL is in its environment/,
    change: ({ container }) => setVariable(container, 'RABBITMQ_URL', 'amqp://broker'),
  },
  'a password in an address of another name': {
    of: ['worker', 'ec2'],
    says: /LLM_BASE_URL is in its environment/,
    change: ({ container }) => setVariable(container, 'LLM_BASE_URL', URL_WITH_PASSWORD),
  },
  'a secret that only its name shows': {
    of: ['webhook', 'fargate'],
    says: /NEW_WEBHOOK_SECRET is in its environment/,
    change: ({ container }) => setVariable(container, 'NEW_WEBHOOK_SECRET', 'x'),
  },
  'no database': {
    of: ['worker', 'ec2'],
    says: /not given DATABASE_URL/,
    change: ({ container }) => Object.assign(container, { secrets: [] }),
  },
  'a secret of another component': {
    of: ['api', 'ec2'],
    says: /GITHUB_APP_PRIVATE_KEY, which it does not read/,
    change: ({ container }) => container.secrets.push({ name: 'GITHUB_APP_PRIVATE_KEY', valueFrom: 'arn' }),
  },
  'no log group': {
    of: ['worker', 'fargate'],
    says: /goes to no log group/,
    change: ({ container }) => Reflect.deleteProperty(container, 'logConfiguration'),
  },
  'a log group without a region': {
    of: ['api', 'ec2'],
    says: /goes to no log group/,
    change: ({ container }) =>
      Reflect.deleteProperty(container.logConfiguration?.options ?? {}, 'awslogs-region'),
  },
  'a log that blocks': {
    of: ['api', 'ec2'],
    says: /stands still/,
    change: ({ container }) => Reflect.deleteProperty(container.logConfiguration?.options ?? {}, 'mode'),
  },
  'a worker without a health check': {
    of: ['worker', 'ec2'],
    says: /no health check/,
    change: ({ container }) => Reflect.deleteProperty(container, 'healthCheck'),
  },
  'a health check that ECS refuses': {
    of: ['worker', 'ec2'],
    says: /ECS refuses its health check/,
    change: ({ container }) => Object.assign(container.healthCheck ?? {}, { interval: 1 }),
  },
  root: {
    of: ['worker', 'ec2'],
    says: /runs as root/,
    change: ({ container }) => Object.assign(container, { user: '0:0' }),
  },
  'a root file system to write to': {
    of: ['worker', 'ec2'],
    says: /root file system can be written/,
    change: ({ container }) => Object.assign(container, { readonlyRootFilesystem: false }),
  },
  capabilities: {
    of: ['worker', 'fargate'],
    says: /keeps capabilities/,
    change: ({ container }) => Object.assign(container.linuxParameters.capabilities, { drop: [] }),
  },
  'security options on Fargate': {
    of: ['worker', 'fargate'],
    says: /refuses dockerSecurityOptions/,
    change: ({ container }) => Object.assign(container, { dockerSecurityOptions: ['no-new-privileges'] }),
  },
  "a volume of Docker's on Fargate": {
    of: ['worker', 'fargate'],
    says: /no volumes of Docker's/,
    change: ({ task }) =>
      Object.assign(task.volumes[0] ?? {}, { dockerVolumeConfiguration: { scope: 'task', driver: 'local' } }),
  },
  'more memory for the container than for the task': {
    of: ['worker', 'fargate'],
    says: /more memory than the task has/,
    change: ({ container }) => Object.assign(container, { memory: 4096 }),
  },
  'more CPU for the container than for the task': {
    of: ['worker', 'fargate'],
    says: /more CPU units than the task has/,
    change: ({ container }) => Object.assign(container, { cpu: 2048 }),
  },
  'a size that Fargate does not have': {
    of: ['worker', 'fargate'],
    says: /no task with 512 CPU units and 8192 MiB/,
    change: ({ task }) => Object.assign(task, { cpu: '512', memory: '8192' }),
  },
  'one role for both': {
    of: ['worker', 'ec2'],
    says: /execution role and its task role are one/,
    change: ({ task }) => Object.assign(task, { taskRoleArn: task.executionRoleArn }),
  },
  'no task role': {
    of: ['worker', 'ec2'],
    says: /lacks the execution role or the task role/,
    change: ({ task }) => Reflect.deleteProperty(task, 'taskRoleArn'),
  },
}

function setVariable(container: Mutable<ContainerDefinition>, name: string, value: string): void {
  const others = container.environment.filter((variable) => variable.name !== name)
  container.environment = [...others, { name, value }]
}
