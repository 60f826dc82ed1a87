import { COMPONENTS } from '../components.ts'
import { checkAllowlist, isAllowed } from '../forges/github/allowlist.ts'
import { QUEUE_VARIABLES, type QueueConfig, readQueueConfig } from '../jobs/config.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { PROCESS_VARIABLES, type ProcessConfig, readProcessConfig } from '../lib/config.ts'
import { type Environment, integer, text, type Variables } from '../lib/env.ts'
import {
  METRICS_VARIABLES,
  type MetricsConfig,
  readMetricsConfig,
  readTelemetryConfig,
  TELEMETRY_VARIABLES,
  type TelemetryConfig,
} from '../lib/telemetry/config.ts'
import { DATABASE_VARIABLES, type DatabaseConfig, readDatabaseConfig } from '../store/config.ts'

export const variables = {
  ...PROCESS_VARIABLES,
  ...DATABASE_VARIABLES,
  ...QUEUE_VARIABLES,
  ...TELEMETRY_VARIABLES,
  ...METRICS_VARIABLES,
  WEBHOOK_PORT: { describe: 'Port of the webhook handler.', default: String(COMPONENTS.webhook.http.port) },
  WEBHOOK_HOST: {
    describe:
      'Address it listens on. Unset: every address of the machine. `npm start` passes `127.0.0.1`; set `0.0.0.0` where a load balancer on another host calls it.',
  },
  WEBHOOK_DRAIN_SECONDS: {
    describe:
      'How long it goes on accepting webhooks after it was asked to stop, while `/ready` already says 503: longer than its load balancer takes to notice. `npm start` passes `0`.',
    default: '5',
  },
  GITHUB_WEBHOOK_SECRET: {
    describe: "The secret in the settings of GitHub's webhook. Unset: `/webhooks/github` answers 503.",
    secret: true,
  },
  GITHUB_WEBHOOK_SECRET_PREVIOUS: { describe: 'The one before, valid too while you rotate.', secret: true },
  GITHUB_REPOSITORIES: {
    describe:
      'The only owners (`acme`) and repositories (`acme/api`) that are worked for, separated by commas. Unset: all that the App or the token reaches.',
  },
  GIT_WEBHOOK_SECRET: {
    describe: 'What signs the webhooks to `/webhooks/git`. Unset: it answers 503.',
    secret: true,
  },
  GIT_WEBHOOK_SECRET_PREVIOUS: { describe: 'The one before, valid too while you rotate.', secret: true },
} as const satisfies Variables

/** The secrets that are valid for one forge, and the variable to set when there are none. */
export interface WebhookSecrets {
  variable: string
  valid: readonly string[]
}

export interface WebhookHandlerConfig
  extends ProcessConfig,
    DatabaseConfig,
    QueueConfig,
    TelemetryConfig,
    MetricsConfig {
  port: number
  host: string | undefined
  /** Between not being ready any more and accepting no more connections. */
  drainMs: number
  secrets: Readonly<Record<ForgeName, WebhookSecrets>>
  /** Whether the operator lets this installation work for a repository of a forge. */
  isAllowed(forge: ForgeName, repository: string): boolean
}

/** @throws KodusError CONFIG_MISSING or CONFIG_INVALID, naming the variable */
export function readConfig(env: Environment = process.env): WebhookHandlerConfig {
  const allowlist = checkAllowlist(list(text(env, variables, 'GITHUB_REPOSITORIES')))
  return {
    ...readProcessConfig(env),
    ...readDatabaseConfig(env),
    ...readQueueConfig(env),
    ...readTelemetryConfig(env),
    ...readMetricsConfig(env),
    port: integer(env, variables, 'WEBHOOK_PORT', { min: 0, max: 65_535 }),
    host: text(env, variables, 'WEBHOOK_HOST'),
    drainMs: integer(env, variables, 'WEBHOOK_DRAIN_SECONDS', { min: 0, max: 120 }) * 1000,
    secrets: {
      git: secrets(env, 'GIT_WEBHOOK_SECRET', 'GIT_WEBHOOK_SECRET_PREVIOUS'),
      github: secrets(env, 'GITHUB_WEBHOOK_SECRET', 'GITHUB_WEBHOOK_SECRET_PREVIOUS'),
    },
    isAllowed: (forge, repository) => forge !== 'github' || isAllowed(allowlist, repository),
  }
}

function secrets(
  env: Environment,
  ...names: [keyof typeof variables, keyof typeof variables]
): WebhookSecrets {
  const valid = names.map((name) => text(env, variables, name)).filter((secret) => secret !== undefined)
  return { variable: names[0], valid }
}

function list(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
