import { join } from 'node:path'
import { GITHUB_VARIABLES } from '../forges/github/config.ts'
import { QUEUE_VARIABLES } from '../jobs/config.ts'
import { loadSettings } from '../lib/config.ts'
import { type Environment, text, type Variables } from '../lib/env.ts'
import { GIT_VARIABLES } from '../lib/git/config.ts'
import { MODEL_VARIABLES, type ModelConfig, readModelConfig } from '../models/config.ts'
import { DATABASE_VARIABLES, type DatabaseConfig, readDatabaseConfig } from '../store/config.ts'
import { installationDirectory, runsFromCheckout } from './installation.ts'

export const variables = {
  ...DATABASE_VARIABLES,
  ...QUEUE_VARIABLES,
  ...MODEL_VARIABLES,
  ...GIT_VARIABLES,
  ...GITHUB_VARIABLES,
  KODUS_DIRECTORY: {
    describe:
      "Where this machine's data and secrets are kept. Default: `.kodus` in the checkout, or in the current directory.",
  },
} as const satisfies Variables

/**
 * `npm start` and `npm run kodus` read the checkout's `.env` too and, for commands that talk to the running
 * stack, what that left in `.kodus/env`. What `kodus setup github` left is not loaded, but looked up by those
 * who work with it: see `withGitHubSettings`.
 */
export function loadCheckoutSettings({ ofRunningStack }: { ofRunningStack: boolean }): void {
  if (!['start', 'kodus'].includes(process.env.npm_lifecycle_event ?? '')) return
  loadSettings([
    ...(ofRunningStack ? [join(readDirectory(), 'env')] : []),
    join(installationDirectory, '.env'),
  ])
}

/** The environment that components started from here inherit. A blank value counts as unset, everywhere. */
export function readEnvironment(): Environment {
  return Object.fromEntries(Object.entries(process.env).filter(([, value]) => value?.trim()))
}

/** Where `kodus up` keeps its data, secrets and logs. */
export function readDirectory(env: Environment = process.env): string {
  const home = runsFromCheckout ? installationDirectory : process.cwd()
  return text(env, variables, 'KODUS_DIRECTORY') ?? join(home, '.kodus')
}

/** The model that `kodus review` asks, if one is configured. */
export function readModel(env: Environment = process.env): ModelConfig | undefined {
  return readModelConfig(env)
}

/** The database that commands talk to. @throws KodusError CONFIG_MISSING */
export function readDatabase(env: Environment = process.env): DatabaseConfig {
  return readDatabaseConfig(env)
}
