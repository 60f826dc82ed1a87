import type { ComponentType } from '../../src/components.ts'

interface Told {
  readonly secrets: readonly string[]
  readonly variables: readonly string[]
}

const ALL: Told = {
  secrets: ['DATABASE_URL', 'OTEL_EXPORTER_OTLP_HEADERS'],
  variables: [
    'DATABASE_CA',
    'DATABASE_CA_FILE',
    'KODUS_INSTANCE_ID',
    'LOG_LEVEL',
    'OTEL_EXPORTER_OTLP_ENDPOINT',
  ],
}

/**
 * What each component may be told on ECS besides what taskDefinition() says by itself: as in infra/compose/compose.yaml, what
 * it reads and no more. test/ecs-definitions compares it with both.
 */
export const COMPONENT_ENVIRONMENT: Readonly<Record<ComponentType, Told>> = {
  webhook: {
    secrets: [
      ...ALL.secrets,
      'RABBITMQ_URL',
      'METRICS_TOKEN',
      'GIT_WEBHOOK_SECRET',
      'GIT_WEBHOOK_SECRET_PREVIOUS',
      'GITHUB_WEBHOOK_SECRET',
      'GITHUB_WEBHOOK_SECRET_PREVIOUS',
    ],
    variables: [...ALL.variables, 'RABBITMQ_CA_FILE', 'GITHUB_REPOSITORIES'],
  },
  api: { secrets: [...ALL.secrets, 'METRICS_TOKEN'], variables: ALL.variables },
  worker: {
    secrets: [
      ...ALL.secrets,
      'RABBITMQ_URL',
      'LLM_API_KEY',
      'GIT_CREDENTIAL_TOKEN',
      'GITHUB_APP_PRIVATE_KEY',
      'GITHUB_TOKEN',
    ],
    variables: [
      ...ALL.variables,
      'RABBITMQ_CA_FILE',
      'WORKER_SLOTS',
      'JOBS_PER_REPOSITORY',
      'JOBS_PER_ORGANISATION',
      'JOB_RETENTION_DAYS',
      'DELIVERY_RETENTION_DAYS',
      'LLM_BASE_URL',
      'LLM_MODEL',
      'GIT_ALLOWED_PROTOCOLS',
      'GIT_ALLOWED_HOSTS',
      'GIT_CACHE_MEGABYTES',
      'GIT_CREDENTIAL_ORIGIN',
      'GITHUB_API_URL',
      'GITHUB_APP_ID',
      'GITHUB_REPOSITORIES',
      'GITHUB_OUTSIDE_CHANGES',
      'GITHUB_POLL_SECONDS',
    ],
  },
}

/** What is known to an installation, by variable. */
export interface Settings {
  /** Variable → value. */
  readonly variables: Readonly<Record<string, string>>
  /** Variable → ARN of its secret. */
  readonly secrets: Readonly<Record<string, string>>
}

/** Of an installation's settings those that one component is told. */
export function settingsOf(type: ComponentType, { variables, secrets }: Settings): Settings {
  const told = COMPONENT_ENVIRONMENT[type]
  return { variables: pick(variables, told.variables), secrets: pick(secrets, told.secrets) }
}

function pick(from: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
}
