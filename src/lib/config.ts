import { existsSync } from 'node:fs'
import { type Environment, text, type Variables } from './env.ts'
import { KodusError } from './errors.ts'

/**
 * Reads settings files of a checkout into the environment, as far as they exist; what is set already stays.
 * Never files of the current directory: that may be the repository under review.
 */
export function loadSettings(files: readonly string[]): void {
  for (const file of files) if (existsSync(file)) process.loadEnvFile(file)
}

/** What every process of ours understands. */
export const PROCESS_VARIABLES = {
  LOG_LEVEL: { describe: '`debug`, `info`, `warn` or `error`.', default: 'info' },
  KODUS_INSTANCE_ID: {
    describe:
      'Names this installation in `/health`, so that two on one machine are not confused. Set by `npm start`.',
    default: 'default',
  },
  KODUS_SUPERVISED: { describe: '`1` makes a component end with its parent. Set by `npm start`.' },
} as const satisfies Variables

export interface ProcessConfig {
  logLevel: string
  instanceId: string
  /** End when the parent process does. */
  supervised: boolean
}

export function readProcessConfig(env: Environment): ProcessConfig {
  const logLevel = text(env, PROCESS_VARIABLES, 'LOG_LEVEL') ?? 'info'
  if (!['debug', 'info', 'warn', 'error'].includes(logLevel)) {
    throw new KodusError(
      'CONFIG_INVALID',
      `LOG_LEVEL is ${JSON.stringify(logLevel)}, which cannot be used.`,
      {
        help: 'Set LOG_LEVEL to debug, info, warn or error.',
      },
    )
  }
  return {
    logLevel,
    instanceId: text(env, PROCESS_VARIABLES, 'KODUS_INSTANCE_ID') ?? 'default',
    supervised: env.KODUS_SUPERVISED === '1',
  }
}
