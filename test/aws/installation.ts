import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { settingsOf } from '../../infra/ecs/component-environment.ts'
import { service } from '../../infra/ecs/service.ts'
import type { Launch } from '../../infra/ecs/shapes.ts'
import { taskDefinition } from '../../infra/ecs/task-definition.ts'
import type { ComponentType } from '../../src/components.ts'
import { CLUSTER, namesOf } from '../../src/ecs-names.ts'
import type { Shutdown } from '../../src/lib/shutdown.ts'
import { buildProductImages } from '../containers/product-images.ts'
import { DATABASE, startStores } from '../containers/rolling/stores.ts'
import { makeRepository, type TestRepository } from '../support/repository.ts'
import { ACCOUNT_ID, ENVIRONMENT, makeAccount, NETWORK, REGION, TYPES } from './account.ts'
import { type AwsCommand, awsCommand } from './aws-command.ts'
import { type MiniStack, startMiniStack } from './ministack.ts'
import type { Prerequisites } from './prerequisites.ts'
import { deriveImage, pushToRegistry } from './registry-images.ts'
import { serveRepositories } from './serve-repository.ts'

/** The network that tasks of mode `bridge` are in, and that MiniStack puts all others in too. */
const BRIDGE = 'bridge'
/** One each: what a rolling update does is seen with one. */
const DESIRED = 1

export interface Installation {
  ministack: MiniStack
  aws: AwsCommand
  /** The images, by the digest under which they are in the registry. */
  images: Readonly<Record<ComponentType, string>>
  repository: TestRepository
  /** As workers name it. */
  repositoryUrl: string
  webhookSecret: string
  databaseUrl: string
  db: pg.Pool
  /** Registers the definitions of all three components, and makes their services. */
  createServices(launch: Launch): Promise<void>
  /** Another image of a component in its repository, with more lines in its Dockerfile. @returns its digest's name */
  publish(type: ComponentType, ...lines: string[]): Promise<string>
}

/** An account with all that the definitions name: stores, images, secrets, load balancers. No service yet. */
export async function install(
  t: TestContext,
  { engine, cli, places }: Prerequisites,
  shutdown: Shutdown,
): Promise<Installation> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-aws-'))
  shutdown.add('the directory', () => rmSync(directory, { recursive: true, force: true }))
  const prefix = `kodus-aws-${randomBytes(4).toString('hex')}`
  const removeStores = async () => {
    const all = ['ps', '--all', '--quiet', '--filter', `name=${prefix}`]
    const found = (await engine.docker(...all)).split('\n').filter(Boolean)
    if (found.length > 0) await engine.docker('rm', '--force', '--volumes', ...found)
    await engine.docker('network', 'rm', prefix)
  }
  const built = await buildProductImages(engine)
  shutdown.add('the images', () => built.remove())
  const ministack = await startMiniStack(engine, places)
  shutdown.add('MiniStack', () => ministack.close())
  const aws = awsCommand(cli, ministack.endpoint)

  await engine.docker('network', 'create', prefix)
  shutdown.add('the stores', removeStores)
  const stores = await startStores(engine, prefix, directory)
  /** A store's URL by the address that it has in the network of the tasks, which has no names. */
  const reached = async (store: string, url: string) => {
    const container = `${prefix}-${store}`
    await engine.docker('network', 'connect', BRIDGE, container)
    const address = `--format={{.NetworkSettings.Networks.${BRIDGE}.IPAddress}}`
    return url.replace(container, await engine.docker('inspect', address, container))
  }
  const webhookSecret = randomBytes(16).toString('hex')
  const values = {
    DATABASE_URL: await reached('postgres', stores.databaseUrl(DATABASE)),
    RABBITMQ_URL: await reached('rabbitmq', stores.rabbitmqUrl),
    GIT_WEBHOOK_SECRET: webhookSecret,
    METRICS_TOKEN: randomBytes(16).toString('hex'),
  }
  const account = await makeAccount(aws, values)

  const repositoryOf = (type: ComponentType) => `${ministack.registry}/${namesOf(type).repository}`
  const images = {} as Record<ComponentType, string>
  for (const type of TYPES) images[type] = await pushToRegistry(engine, built.names[type], repositoryOf(type))

  const repository = makeRepository(t, {
    base: { 'orders.py': 'def total(items):\n    return sum(items)\n' },
    head: { 'orders.py': 'def total(items, seen=[]):\n    seen.append(items)\n    return sum(items)\n' },
  })
  const gateway = await engine.docker(
    'network',
    'inspect',
    '--format={{(index .IPAM.Config 0).Gateway}}',
    BRIDGE,
  )
  const variables = {
    KODUS_INSTANCE_ID: ENVIRONMENT,
    GIT_ALLOWED_PROTOCOLS: 'http',
    GIT_ALLOWED_HOSTS: gateway,
  }
  const origin = await serveRepositories(t, repository.root, gateway)

  // By its address: a published port changes when its container joins another network.
  const db = new pg.Pool({ connectionString: values.DATABASE_URL, max: 3 })
  db.on('error', () => {}) // The server goes before it does.
  shutdown.add('the database', () => db.end())

  return {
    ministack,
    aws,
    images,
    repository,
    repositoryUrl: `${origin}/repository`,
    webhookSecret,
    databaseUrl: values.DATABASE_URL,
    db,
    async createServices(launch) {
      for (const type of TYPES) {
        const { executionRole, taskRole, family } = namesOf(type)
        const roleArn = (role: string) => `arn:aws:iam::${ACCOUNT_ID}:role/${role}`
        const definition = taskDefinition(type, launch, {
          environment: ENVIRONMENT,
          region: REGION,
          image: images[type],
          executionRoleArn: roleArn(executionRole),
          taskRoleArn: roleArn(taskRole),
          architecture: process.arch === 'arm64' ? 'arm64' : 'x86_64',
          ...settingsOf(type, { variables, secrets: account.secrets }),
        })
        await aws('ecs', 'register-task-definition', definition)
        const placement = {
          cluster: CLUSTER,
          taskDefinition: family,
          desiredCount: DESIRED,
          ...(launch === 'fargate' && NETWORK),
          ...(type !== 'worker' && { targetGroupArn: await account.targetGroup(type, launch) }),
        }
        await aws('ecs', 'create-service', service(type, launch, placement))
      }
    },
    async publish(type, ...lines) {
      const name = await deriveImage(engine, built.names[type], ...lines)
      shutdown.add(name, () => engine.docker('image', 'rm', '--force', name))
      return await pushToRegistry(engine, name, repositoryOf(type))
    },
  }
}
