import { mkdirSync, openSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { ComponentType } from '../../config.ts'
import type { Environment } from '../../lib/env.ts'
import type { Log } from '../../lib/log.ts'
import { createShutdown } from '../../lib/shutdown.ts'
import { openDatabase } from '../../store/database.ts'
import { migrate } from '../../store/migrate.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { freePort } from './free-port.ts'
import { lockDirectory } from './lock-directory.ts'
import { openMachine } from './machine.ts'
import { machineApiKey } from './machine-api-key.ts'
import { supervise } from './supervise.ts'

export interface Stack {
  directory: string
  database: { where: string; pid: number | undefined; dataDirectory: string | undefined }
  queue: 'rabbitmq' | 'postgres'
  components: { type: ComponentType; url: string | undefined; pid(): number | undefined }[]
  webhookUrl: string
  apiUrl: string
  apiKey: string
  gitWebhookSecret: string
  /** Drains and stops everything: the components first, PostgreSQL last. */
  stop(): Promise<void>
}

export interface StackOptions {
  directory: string
  /** What the components inherit; its variables win over what this machine would choose. */
  env: Environment
  log: Log
  /** `files`: components write to `logs/` in the directory instead of here. */
  output: 'here' | 'files'
  /** Directories below which repositories may be named by path, besides those in the environment. */
  repositoryRoots?: string[]
}

const COMPONENTS: readonly ComponentType[] = ['webhook', 'api', 'worker']

/** How long each component may drain when the stack stops; longer than the worker's own grace period. */
const STOP_MS = 40_000

/** Starts PostgreSQL (unless DATABASE_URL names one) and the three components, each a process of its own. */
export async function startStack({
  directory,
  env,
  log,
  output,
  repositoryRoots = [],
}: StackOptions): Promise<Stack> {
  const shutdown = createShutdown(log)
  try {
    const machine = openMachine(directory)
    const unlock = await lockDirectory(directory)
    shutdown.add('lock', unlock)

    const embedded = env.DATABASE_URL
      ? undefined
      : await startEmbeddedPostgres({ directory: join(directory, 'postgres'), log })
    if (embedded) shutdown.add('PostgreSQL', () => embedded.stop())
    const databaseUrl = env.DATABASE_URL ?? embedded?.url ?? ''

    const db = openDatabase({
      url: databaseUrl,
      caFile: env.DATABASE_CA_FILE,
      component: 'up',
      maxConnections: 1,
      log,
    })
    const apiKey = await migrate(db)
      .then(() => machineApiKey(db, machine.settings.KODUS_API_KEY))
      .finally(() => db.end())

    const ports = {
      webhook: Number(env.WEBHOOK_PORT ?? (await freePort(3332))),
      api: Number(env.API_PORT ?? (await freePort(3331))),
    }
    const settings = {
      ...machine.settings,
      KODUS_API_KEY: apiKey,
      DATABASE_URL: databaseUrl,
      WEBHOOK_PORT: String(ports.webhook),
      API_PORT: String(ports.api),
    }
    machine.save(settings)

    const componentEnv: Environment = {
      NODE_COMPILE_CACHE: join(directory, 'cache'),
      WEBHOOK_HOST: '127.0.0.1',
      API_HOST: '127.0.0.1',
      ...settings,
      ...env,
      GIT_REPOSITORY_ROOTS: [env.GIT_REPOSITORY_ROOTS, ...repositoryRoots].filter(Boolean).join(delimiter),
    }
    const starts = await Promise.allSettled(
      COMPONENTS.map((type) =>
        supervise({ type, env: componentEnv, output: outputOf(type, directory, output), log }),
      ),
    )
    const components = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    shutdown.add('components', () => Promise.all(components.map((component) => component.stop(STOP_MS))))
    for (const start of starts) if (start.status === 'rejected') throw start.reason

    const urls = {
      webhook: `http://127.0.0.1:${ports.webhook}`,
      api: `http://127.0.0.1:${ports.api}`,
      worker: undefined,
    }
    return {
      directory,
      database: {
        where: embedded ? `embedded, 127.0.0.1:${embedded.port}` : 'DATABASE_URL',
        pid: embedded?.pid,
        dataDirectory: embedded?.directory,
      },
      queue: env.RABBITMQ_URL ? 'rabbitmq' : 'postgres',
      components: components.map(({ type, pid }) => ({ type, url: urls[type], pid })),
      webhookUrl: urls.webhook,
      apiUrl: urls.api,
      apiKey,
      gitWebhookSecret: componentEnv.GIT_WEBHOOK_SECRET ?? '',
      stop: () => shutdown.run(),
    }
  } catch (error) {
    await shutdown.run()
    throw error
  }
}

function outputOf(
  type: ComponentType,
  directory: string,
  output: StackOptions['output'],
): number | 'inherit' {
  if (output === 'here') return 'inherit'
  mkdirSync(join(directory, 'logs'), { recursive: true })
  return openSync(join(directory, 'logs', `${type}.log`), 'a')
}
