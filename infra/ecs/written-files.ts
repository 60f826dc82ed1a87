import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import { CLUSTER, type EnvironmentName, namesOf, secretName } from '../../src/ecs-names.ts'
import { settingsOf } from './component-environment.ts'
import { placeholder } from './placeholders.ts'
import { type Placement, service } from './service.ts'
import type { Launch, ServiceDefinition, TaskDefinition } from './shapes.ts'
import { taskDefinition } from './task-definition.ts'

const ENVIRONMENT: EnvironmentName = 'production'
/** Fargate runs what is desired; the one machine that there is holds one task each and what an update adds. */
const TASKS_ON_ONE_MACHINE = 1
/** An installation with RabbitMQ, a GitHub App and a model. Each secret has to exist, or no task starts. */
const SECRETS = [
  'DATABASE_URL',
  'RABBITMQ_URL',
  'METRICS_TOKEN',
  'GITHUB_WEBHOOK_SECRET',
  'GITHUB_APP_PRIVATE_KEY',
  'LLM_API_KEY',
]
const VARIABLES = {
  KODUS_INSTANCE_ID: ENVIRONMENT,
  GITHUB_APP_ID: placeholder('GITHUB_APP_ID'),
  LLM_BASE_URL: placeholder('LLM_BASE_URL'),
  LLM_MODEL: placeholder('LLM_MODEL'),
}

/** A component's two documents for one launch type, as they are written. */
export interface Documents {
  readonly type: ComponentType
  readonly launch: Launch
  readonly taskDefinition: TaskDefinition
  readonly service: ServiceDefinition
}

/** The documents of all components, with placeholders for what belongs to an account. */
export function allDocuments(): Documents[] {
  const types = Object.keys(COMPONENTS) as ComponentType[]
  return (['ec2', 'fargate'] as const).flatMap((launch) => types.map((type) => documentsOf(type, launch)))
}

/** All written files: path below this directory → text. JSON as biome formats it. */
export function writtenFiles(): ReadonlyMap<string, string> {
  return new Map(
    allDocuments().flatMap(({ type, launch, taskDefinition, service }) => [
      [`${launch}/task-definition-${COMPONENTS[type].name}.json`, toJson(taskDefinition)] as const,
      [`${launch}/service-${COMPONENTS[type].name}.json`, toJson(service)] as const,
    ]),
  )
}

function documentsOf(type: ComponentType, launch: Launch): Documents {
  const account = placeholder('ACCOUNT_ID')
  const region = placeholder('REGION')
  const { family, repository, executionRole, taskRole } = namesOf(type)
  const secretArn = (variable: string) =>
    `arn:aws:secretsmanager:${region}:${account}:secret:${secretName(ENVIRONMENT, variable)}`
  const secrets = Object.fromEntries(SECRETS.map((variable) => [variable, secretArn(variable)]))
  return {
    type,
    launch,
    taskDefinition: taskDefinition(type, launch, {
      environment: ENVIRONMENT,
      region,
      image: `${account}.dkr.ecr.${region}.amazonaws.com/${repository}@${placeholder('IMAGE_DIGEST')}`,
      executionRoleArn: `arn:aws:iam::${account}:role/${executionRole}`,
      taskRoleArn: `arn:aws:iam::${account}:role/${taskRole}`,
      ...settingsOf(type, { variables: VARIABLES, secrets }),
    }),
    service: service(type, launch, {
      cluster: CLUSTER,
      taskDefinition: family,
      ...placementOf(type, launch),
    }),
  }
}

function placementOf(
  type: ComponentType,
  launch: Launch,
): Pick<Placement, 'desiredCount'> & Partial<Placement> {
  const targetGroupArn = placeholder('TARGET_GROUP_ARN')
  if (launch === 'ec2') return { desiredCount: TASKS_ON_ONE_MACHINE, targetGroupArn }
  return {
    desiredCount: COMPONENTS[type].tasks.desired,
    targetGroupArn,
    subnets: [placeholder('SUBNET_A'), placeholder('SUBNET_B')],
    securityGroups: [placeholder('SECURITY_GROUP')],
  }
}

/** With lists of words on one line, as biome formats them. */
function toJson(value: TaskDefinition | ServiceDefinition): string {
  const words = /\[\s+("[^"]*"(?:,\s+"[^"]*")*)\s+\]/g
  const text = JSON.stringify(value, undefined, 2)
  return `${text.replaceAll(words, (_, list: string) => `[${list.replaceAll(/,\s+/g, ', ')}]`)}\n`
}
