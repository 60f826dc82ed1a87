import { mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { COMPONENTS, type ComponentType } from '../../components.ts'
import type { Environment } from '../../lib/env.ts'
import type { Log } from '../../lib/log.ts'
import { createShutdown } from '../../lib/shutdown.ts'
import { readDatabaseConfig } from '../../store/config.ts'
import { openDatabase } from '../../store/database.ts'
import { migrate } from '../../store/migrate.ts'
import { withGitHubSettings } from '../setup/github-settings.ts'
import { freePort } from './free-port.ts'
import { keepPostgres } from './keep-postgres.ts'
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

/** What the worker's grace period is here unless the environment says otherwise. */
const GRACE_SECONDS = '20'
/** How much longer than that a component may take to stop before it is killed. */
const MORE_SECONDS = 15

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

    const embedded = env.DATABASE_URL ? undefined : await keepPostgres(join(directory, 'postgres'), log)
    if (embedded) shutdown.add('PostgreSQL', () => embedded.stop())
    const { databaseUrl, databaseCa } = readDatabaseConfig({ DATABASE_URL: embedded?.url, ...env })

    const db = openDatabase({
      url: databaseUrl,
      ca: databaseCa,
      component: 'up',
      maxConnections: 1,
      log,
    })
    const apiKey = await migrate(db)
      .then(() => machineApiKey(db, machine.secrets.KODUS_API_KEY))
      .finally(() => db.end())

    const settings = withGitHubSettings(env, directory)
    const { port: webhookPort } = COMPONENTS.webhook.http
    const ports = {
      webhook: Number(
        env.WEBHOOK_PORT ?? (isCalledByGitHub(settings) ? webhookPort : await freePort(webhookPort)),
      ),
      api: Number(env.API_PORT ?? (await freePort(COMPONENTS.api.http.port))),
    }
    if (!env.WEBHOOK_PORT && ports.webhook !== webhookPort) {
      log.warn(
        `port ${webhookPort} is taken: webhooks are taken at ${ports.webhook}; set WEBHOOK_PORT to insist on one`,
      )
    }
    const secrets = { ...machine.secrets, KODUS_API_KEY: apiKey }
    const repositories = [env.GIT_REPOSITORY_ROOTS, ...repositoryRoots].filter(Boolean).join(delimiter)
    const running = {
      DATABASE_URL: databaseUrl,
      DATABASE_CA_FILE: env.DATABASE_CA_FILE,
      DATABASE_CA: env.DATABASE_CA,
      RABBITMQ_URL: env.RABBITMQ_URL,
      RABBITMQ_CA_FILE: env.RABBITMQ_CA_FILE,
      WEBHOOK_PORT: String(ports.webhook),
      API_PORT: String(ports.api),
      GIT_REPOSITORY_ROOTS: repositories,
      GIT_WEBHOOK_SECRET: env.GIT_WEBHOOK_SECRET ?? secrets.GIT_WEBHOOK_SECRET,
    }
    machine.save(secrets, running)
    shutdown.add('settings of the running stack', () => machine.save(secrets))

    const componentEnv: Environment = {
      NODE_COMPILE_CACHE: join(directory, 'cache'),
      WEBHOOK_HOST: '127.0.0.1',
      API_HOST: '127.0.0.1',
      WORKER_GRACE_SECONDS: GRACE_SECONDS,
      // No load balancer stands in front of it that would have to notice.
      WEBHOOK_DRAIN_SECONDS: '0',
      API_DRAIN_SECONDS: '0',
      ...secrets,
      ...settings,
      ...running,
    }
    const stopMs = (Number(componentEnv.WORKER_GRACE_SECONDS) + MORE_SECONDS) * 1000
    const starts = await Promise.allSettled(
      (Object.keys(COMPONENTS) as ComponentType[]).map((type) =>
        supervise({ type, env: componentEnv, logFile: logFileOf(type, directory, output), log }),
      ),
    )
    const components = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    shutdown.add('components', () => Promise.all(components.map((component) => component.stop(stopMs))))
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
        pid: embedded?.pid(),
        dataDirectory: embedded?.directory,
      },
      queue: env.RABBITMQ_URL ? 'rabbitmq' : 'postgres',
      components: components.map(({ type, pid }) => ({ type, url: urls[type], pid })),
      webhookUrl: urls.webhook,
      apiUrl: urls.api,
      apiKey,
      gitWebhookSecret: running.GIT_WEBHOOK_SECRET,
      stop: () => shutdown.run(),
    }
  } catch (error) {
    await shutdown.run()
    throw error
  }
}

/** Whoever calls from outside, a tunnel say, was told the port: on another one, nothing would arrive. */
function isCalledByGitHub({ GITHUB_WEBHOOK_SECRET, GITHUB_POLL_SECONDS }: Environment): boolean {
  return Boolean(GITHUB_WEBHOOK_SECRET) && !GITHUB_POLL_SECONDS
}

function logFileOf(
  type: ComponentType,
  directory: string,
  output: StackOptions['output'],
): string | undefined {
  if (output === 'here') return undefined
  mkdirSync(join(directory, 'logs'), { recursive: true })
  return join(directory, 'logs', `${type}.log`)
}
