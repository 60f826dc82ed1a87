import path from 'node:path'
import { fileURLToPath } from 'node:url'
import amqp from 'amqplib'
import pg from 'pg'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { JOBS_QUEUE } from '../../src/jobs/topology.ts'
import type { RabbitmqNode } from '../../test/support/rabbitmq-node.ts'
import type { Postgres } from '../support/servers.ts'
import { COMPONENT, startProcess } from '../support/start-process.ts'
import type { Target } from './load.ts'
import { WEBHOOK_SECRET } from './payload.ts'

/** A server that takes webhooks, in a process of its own, with an empty database where it wants one. */
export interface Running extends Target {
  pid: number
  /** How many of these deliveries have no row. */
  withoutRow(deliveryIds: readonly string[]): Promise<number>
  stop(): Promise<void>
}

export interface Surroundings {
  directory: string
  postgres: Postgres
  rabbitmq: RabbitmqNode
  /** The processors of the server under test. */
  processors: readonly number[]
}

export type Variant = (name: string, surroundings: Surroundings) => Promise<Running>

const BARE = fileURLToPath(new URL('bare-server.ts', import.meta.url))
const NAIVE = fileURLToPath(new URL('naive-server.ts', import.meta.url))
const PROBOT = fileURLToPath(new URL('../peers/probot-server.ts', import.meta.url))

/** A job's row with its delivery's: what the 202 promises. */
const OUR_ROWS = `select count(*)::int as missing from unnest($1::text[]) as accepted (id)
  where not exists (select from deliveries d join workflow_jobs j on j.id = d.job_id
    where d.forge = 'github' and d.delivery_id = accepted.id)`

const NAIVE_ROWS = `select count(*)::int as missing from unnest($1::text[]) as accepted (id)
  where not exists (select from webhooks w where w.delivery_id = accepted.id)`

export const bare: Variant = (name, surroundings) => keepsNothing(BARE, name, surroundings)

export const probot: Variant = (name, surroundings) => keepsNothing(PROBOT, name, surroundings)

export const naive: Variant = (name, surroundings) =>
  withDatabase(name, surroundings, { migrated: false, rows: NAIVE_ROWS }, async (url) => {
    const port = await freePort()
    const env = { PORT: String(port), WEBHOOK_SECRET, DATABASE_URL: url }
    return { ...(await start(NAIVE, env, name, surroundings)), port, path: '/webhooks' }
  })

/** Ours without a broker: the answer after the commit, and PostgreSQL is the queue. */
export const committed: Variant = (name, surroundings) => ours(name, surroundings, {})

/** Ours with a broker: the answer after the commit, and every job published to RabbitMQ. */
export const published: Variant = async (name, surroundings) => {
  const { url } = surroundings.rabbitmq
  const running = await ours(name, surroundings, { RABBITMQ_URL: url })
  return {
    ...running,
    async stop() {
      await running.stop()
      await purge(url)
    },
  }
}

function ours(name: string, surroundings: Surroundings, settings: Record<string, string>): Promise<Running> {
  return withDatabase(name, surroundings, { migrated: true, rows: OUR_ROWS }, async (url) => {
    const port = await freePort()
    const env = {
      COMPONENT_TYPE: 'webhook',
      DATABASE_URL: url,
      WEBHOOK_PORT: String(port),
      WEBHOOK_HOST: '127.0.0.1',
      GITHUB_WEBHOOK_SECRET: WEBHOOK_SECRET,
      ...settings,
    }
    return { ...(await start(COMPONENT, env, name, surroundings)), port, path: '/webhooks/github' }
  })
}

async function keepsNothing(script: string, name: string, surroundings: Surroundings): Promise<Running> {
  const port = await freePort()
  const env = { PORT: String(port), WEBHOOK_SECRET }
  const server = await start(script, env, name, surroundings)
  return { ...server, port, path: '/webhooks', withoutRow: async () => 0 }
}

async function withDatabase(
  name: string,
  { postgres }: Surroundings,
  { migrated, rows }: { migrated: boolean; rows: string },
  startOn: (url: string) => Promise<Omit<Running, 'withoutRow'>>,
): Promise<Running> {
  const url = await postgres.createDatabase(name, { migrated })
  const server = await startOn(url)
  return {
    ...server,
    async withoutRow(deliveryIds) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      try {
        const { rows: counted } = await client.query<{ missing: number }>(rows, [deliveryIds])
        return counted[0]?.missing ?? Number.NaN
      } finally {
        await client.end()
      }
    },
    async stop() {
      await server.stop()
      await postgres.dropDatabase(name)
    },
  }
}

function start(
  script: string,
  env: Record<string, string>,
  name: string,
  { directory, processors }: Surroundings,
) {
  return startProcess(script, { env, processors, logFile: path.join(directory, `${name}.log`) })
}

async function purge(url: string): Promise<void> {
  const connection = await amqp.connect(url)
  const channel = await connection.createChannel()
  await channel.purgeQueue(JOBS_QUEUE)
  await connection.close()
}
