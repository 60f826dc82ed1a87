import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type pg from 'pg'
import { COMPONENTS, type ComponentType } from '../../../src/components.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { createShutdown } from '../../../src/lib/shutdown.ts'
import { createApiKey } from '../../../src/store/create-api-key.ts'
import type { Engine } from '../engine.ts'
import { type LoadBalancer, startLoadBalancer } from '../load-balancer.ts'
import { buildProductImages } from '../product-images.ts'
import { createScope } from '../scope.ts'
import type { Addresses } from './load.ts'
import { makeRepositories, REPOSITORIES_INSIDE, type Repositories } from './repositories.ts'
import type { Sabotage } from './sabotage.ts'
import { type Service, startService } from './service.ts'
import { writeSettings } from './settings-file.ts'
import { DATABASE, startStores } from './stores.ts'
import type { TaskDefinition } from './task.ts'
import { startThinkingModel } from './thinking-model.ts'
import { WEBHOOK_SECRET } from './webhooks.ts'

/** Fewer than the table has: what two processors can replace at once. */
const DESIRED = 2

/** The whole installation in containers. */
export interface Stack {
  /** What the names of its containers begin with. */
  prefix: string
  images: Readonly<Record<ComponentType, string>>
  services: Readonly<Record<ComponentType, Service>>
  addresses: Addresses
  db: pg.Pool
  repositories: Repositories
  /** How a task of a component is started; with settings of its own on top. */
  definition(type: ComponentType, settings?: Record<string, string>): TaskDefinition
  /** An image made of another by more lines of a Dockerfile. @returns its name */
  derive(from: string, ...lines: string[]): Promise<string>
  /** Another database on the same server, migrated by whoever connects first; its URL is for containers. */
  createDatabase(name: string): Promise<{ url: string; pool: pg.Pool }>
  close(): Promise<void>
}

/** @param broken what is broken in it on purpose */
export async function startStack(engine: Engine, broken?: Sabotage): Promise<Stack> {
  const scope = createScope(engine)
  const { prefix } = scope
  const shutdown = createShutdown(silentLog)
  shutdown.add('scope', () => scope.close())
  const directory = mkdtempSync(path.join(tmpdir(), `${prefix}-`))
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', removeDirectory) // When interrupted, the scope ends the process.
  shutdown.add('directory', removeDirectory)
  chmodSync(directory, 0o755) // What is mounted from it is read by others.
  try {
    return await start()
  } catch (error) {
    await shutdown.run()
    throw error
  }

  async function start(): Promise<Stack> {
    const images = await buildImages()
    await engine.docker('network', 'create', prefix)
    const gateway = await engine.docker(
      'network',
      'inspect',
      '--format={{(index .IPAM.Config 0).Gateway}}',
      prefix,
    )
    const [stores, webhookBalancer, apiBalancer, model] = await Promise.all([
      startStores(engine, prefix, directory),
      balance('webhook'),
      balance('api'),
      startThinkingModel(gateway),
    ])
    shutdown.add('model', () => model.close())
    const mounted = path.join(directory, 'repositories')
    mkdirSync(mounted)
    const repositories = makeRepositories(mounted)

    const both = { DATABASE_URL: stores.databaseUrl(DATABASE), RABBITMQ_URL: stores.rabbitmqUrl }
    const settings: Record<ComponentType, Record<string, string>> = {
      webhook: { ...both, GIT_WEBHOOK_SECRET: WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET },
      api: { DATABASE_URL: both.DATABASE_URL },
      worker: {
        ...both,
        GIT_REPOSITORY_ROOTS: REPOSITORIES_INSIDE,
        LLM_BASE_URL: model.baseUrl,
        LLM_MODEL: 'fake',
      },
    }
    if (broken) Object.assign(settings[broken.type], broken.settings)

    const definition = (type: ComponentType, more: Record<string, string> = {}): TaskDefinition => ({
      type,
      network: prefix,
      settings: writeSettings(path.join(directory, `${type}-${randomBytes(3).toString('hex')}.env`), {
        ...settings[type],
        ...more,
      }),
      ...(type === 'worker' && { mounts: [`${mounted}:${REPOSITORIES_INSIDE}:ro`] }),
    })
    const keep = (type: ComponentType, balancer?: LoadBalancer) => {
      const service = startService({
        engine,
        name: `${prefix}-${COMPONENTS[type].name}`,
        image: images[type],
        desired: DESIRED,
        task: definition(type),
        ...(balancer && { balancer }),
      })
      shutdown.add(COMPONENTS[type].name, () => service.abandon())
      return service
    }
    const services = {
      webhook: keep('webhook', webhookBalancer),
      api: keep('api', apiBalancer),
      worker: keep('worker'),
    }
    await Promise.all(Object.values(services).map((service) => service.steady()))

    const open = (name: string) => {
      const pool = stores.openDatabase(name)
      shutdown.add(`database ${name}`, () => pool.end())
      return pool
    }
    const db = open(DATABASE)
    const { key } = await createApiKey(db, { name: 'load', scopes: ['read'] })
    return {
      prefix,
      images,
      services,
      addresses: { webhooks: webhookBalancer.url, api: apiBalancer.url, apiKey: key },
      db,
      repositories,
      definition,
      derive,
      async createDatabase(name) {
        await db.query(`create database ${name}`)
        return { url: stores.databaseUrl(name), pool: open(name) }
      },
      close: () => shutdown.run(),
    }
  }

  /** The three components' images as they are shipped, or with what is broken in one of them. */
  async function buildImages(): Promise<Record<ComponentType, string>> {
    const { tag, remove } = await buildProductImages(engine)
    shutdown.add('images', remove)
    const built = {
      webhook: `kodus-ai/${COMPONENTS.webhook.name}:${tag}`,
      api: `kodus-ai/${COMPONENTS.api.name}:${tag}`,
      worker: `kodus-ai/${COMPONENTS.worker.name}:${tag}`,
    }
    if (broken?.lines) built[broken.type] = await derive(built[broken.type], ...broken.lines)
    return built
  }

  async function derive(from: string, ...lines: string[]): Promise<string> {
    const name = `${prefix}-${randomBytes(3).toString('hex')}`
    const context = path.join(directory, name)
    mkdirSync(context)
    writeFileSync(path.join(context, 'Dockerfile'), [`FROM ${from}`, ...lines, ''].join('\n'))
    await engine.docker('build', '--quiet', `--tag=${name}`, context)
    shutdown.add(`image ${name}`, () => engine.docker('image', 'rm', '--force', name))
    return name
  }

  async function balance(type: 'webhook' | 'api'): Promise<LoadBalancer> {
    const { name, http } = COMPONENTS[type]
    return await startLoadBalancer(engine, { name: `${prefix}-${name}-balancer`, network: prefix, ...http })
  }
}
