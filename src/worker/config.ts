import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { GITHUB_VARIABLES, type GitHubConfig, readGitHubConfig } from '../forges/github/config.ts'
import { QUEUE_VARIABLES, type QueueConfig, readQueueConfig } from '../jobs/config.ts'
import { PROCESS_VARIABLES, type ProcessConfig, readProcessConfig } from '../lib/config.ts'
import { type Environment, integer, required, text, type Variables } from '../lib/env.ts'
import { KodusError } from '../lib/errors.ts'
import { GIT_VARIABLES } from '../lib/git/config.ts'
import type { GitCredential } from '../lib/git/settings.ts'
import { readTelemetryConfig, TELEMETRY_VARIABLES, type TelemetryConfig } from '../lib/telemetry/config.ts'
import { MODEL_VARIABLES, type ModelConfig, readModelConfig } from '../models/config.ts'
import type { RunningLimits } from '../store/choose-fairly.ts'
import {
  DATABASE_VARIABLES,
  type DatabaseConfig,
  RETENTION_VARIABLES,
  type Retention,
  readDatabaseConfig,
  readRetention,
} from '../store/config.ts'

export const variables = {
  ...PROCESS_VARIABLES,
  ...DATABASE_VARIABLES,
  ...QUEUE_VARIABLES,
  ...TELEMETRY_VARIABLES,
  ...MODEL_VARIABLES,
  ...GIT_VARIABLES,
  ...GITHUB_VARIABLES,
  ...RETENTION_VARIABLES,
  WORKER_SLOTS: { describe: 'Reviews one worker runs at the same time.', default: '4' },
  JOBS_PER_REPOSITORY: {
    describe:
      'Reviews of one repository that all workers together run at the same time. The same for every worker.',
    default: '8',
  },
  JOBS_PER_ORGANISATION: { describe: 'The same, for all repositories of one owner.', default: '32' },
  WORKER_GRACE_SECONDS: {
    describe:
      'On SIGTERM, how long running reviews may go on before they are handed back. Leave 10 s of what the platform grants.',
    default: '20',
  },
  WORKER_HEALTH_FILE: {
    describe:
      'A file that is written anew every 5 s while the worker is well: the database answers, the queue is connected, its loops turn. Unset: none. The image sets it.',
  },
  ECS_AGENT_URI: {
    describe:
      'Set by ECS itself. While it holds jobs, the worker has the agent there protect its task from scale-in and deployments. Unset: it does not.',
  },
  CLOUDWATCH_METRICS_ENVIRONMENT: {
    describe:
      'Writes the backlog to the log once a minute, so that CloudWatch Logs makes metrics of it; the value is their dimension `Environment`, as `production`. Unset: it does not. See `docs/metrics.md`.',
  },
  GIT_REPOSITORY_ROOTS: {
    describe:
      'Directories below which a `git` webhook may name a repository by path, separated as in PATH. Unset: none.',
  },
  GIT_ALLOWED_PROTOCOLS: {
    describe: 'Protocols by which a `git` webhook may name a repository by URL, separated by commas.',
    default: 'https',
  },
  GIT_ALLOWED_HOSTS: {
    describe:
      'The only hosts from which a `git` webhook may have a repository read, separated by commas. Unset: any, private networks included, except names and addresses of this machine and its network link (loopback, link-local).',
  },
  GIT_CACHE_DIRECTORY: {
    describe:
      'Where repositories are kept between reviews, so that only what is new is fetched. Unset: `kodus-git-cache` in the directory for temporary files.',
  },
  GIT_CACHE_MEGABYTES: { describe: 'How much of the disk each worker keeps them in.', default: '2048' },
  GIT_CREDENTIAL_ORIGIN: {
    describe: 'The one server that is offered GIT_CREDENTIAL_TOKEN, as `https://git.example.com`.',
  },
  GIT_CREDENTIAL_TOKEN: {
    describe:
      'A token that may read repositories there. Never put it into a repository URL: those are refused.',
    secret: true,
  },
} as const satisfies Variables

export interface WorkerConfig extends ProcessConfig, DatabaseConfig, QueueConfig, TelemetryConfig {
  slots: number
  limits: RunningLimits
  retention: Retention
  graceMs: number
  healthFile: string | undefined
  ecsAgentUri: string | undefined
  /** The dimension `Environment` of the metrics for CloudWatch. Undefined: there are none. */
  cloudWatchEnvironment: string | undefined
  repositoryRoots: string[]
  gitProtocols: string[]
  gitAllowedHosts: string[]
  gitCredentials: GitCredential[]
  gitCache: { directory: string; maxBytes: number }
  /** Undefined when no credentials for GitHub are configured. */
  github: GitHubConfig | undefined
  /** Undefined when no endpoint is configured. */
  model: ModelConfig | undefined
}

/** @throws KodusError CONFIG_MISSING or CONFIG_INVALID, naming the variable */
export function readConfig(env: Environment = process.env): WorkerConfig {
  return {
    ...readProcessConfig(env),
    ...readDatabaseConfig(env),
    ...readQueueConfig(env),
    ...readTelemetryConfig(env),
    slots: integer(env, variables, 'WORKER_SLOTS', { min: 1, max: 100 }),
    limits: {
      perRepository: integer(env, variables, 'JOBS_PER_REPOSITORY', { min: 1, max: 10_000 }),
      perOrganisation: integer(env, variables, 'JOBS_PER_ORGANISATION', { min: 1, max: 10_000 }),
    },
    retention: readRetention(env),
    graceMs: integer(env, variables, 'WORKER_GRACE_SECONDS', { min: 0, max: 3600 }) * 1000,
    healthFile: text(env, variables, 'WORKER_HEALTH_FILE'),
    ecsAgentUri: text(env, variables, 'ECS_AGENT_URI'),
    cloudWatchEnvironment: readCloudWatchEnvironment(env),
    repositoryRoots: list(text(env, variables, 'GIT_REPOSITORY_ROOTS'), delimiter),
    gitProtocols: list(text(env, variables, 'GIT_ALLOWED_PROTOCOLS'), ','),
    gitAllowedHosts: list(text(env, variables, 'GIT_ALLOWED_HOSTS'), ','),
    gitCredentials: readGitCredentials(env),
    gitCache: {
      directory: text(env, variables, 'GIT_CACHE_DIRECTORY') ?? join(tmpdir(), 'kodus-git-cache'),
      maxBytes: integer(env, variables, 'GIT_CACHE_MEGABYTES', { min: 1, max: 1_000_000 }) * 1024 ** 2,
    },
    github: readGitHubConfig(env),
    model: readModelConfig(env),
  }
}

/** What CloudWatch takes as the value of a dimension: ASCII, 1,024 characters at most, and no colon in front. */
function readCloudWatchEnvironment(env: Environment): string | undefined {
  const value = text(env, variables, 'CLOUDWATCH_METRICS_ENVIRONMENT')
  if (value === undefined || /^(?!:)[ -~]{1,1024}$/.test(value)) return value
  throw new KodusError('CONFIG_INVALID', 'CLOUDWATCH_METRICS_ENVIRONMENT is no value for a dimension.', {
    help: 'Set CLOUDWATCH_METRICS_ENVIRONMENT to a word like production, or unset it.',
  })
}

function readGitCredentials(env: Environment): GitCredential[] {
  const token = text(env, variables, 'GIT_CREDENTIAL_TOKEN')
  if (token === undefined) return []
  const help = 'Name the server that GIT_CREDENTIAL_TOKEN is for, so that no other is ever offered it.'
  const address = required(env, variables, 'GIT_CREDENTIAL_ORIGIN', help)
  if (!URL.canParse(address)) {
    throw new KodusError('CONFIG_INVALID', 'GIT_CREDENTIAL_ORIGIN is not a URL.', { help })
  }
  return [{ origin: new URL(address).origin, token }]
}

function list(value: string | undefined, separator: string): string[] {
  return (value ?? '')
    .split(separator)
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
