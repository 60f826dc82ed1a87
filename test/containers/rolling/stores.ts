import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import pg from 'pg'
import type { Engine } from '../engine.ts'
import { ensureServiceImage, type ServiceName } from '../service-images.ts'
import { writeSettings } from './settings-file.ts'

export interface Stores {
  /** For containers. */
  databaseUrl(name: string): string
  rabbitmqUrl: string
  /** For this machine; closed by whoever opens it. */
  openDatabase(name: string): pg.Pool
}

export const DATABASE = 'kodus'
const USER = 'kodus'
const READY_WITHIN_MS = 90_000

/** PostgreSQL and RabbitMQ in containers without limits: they are not what is measured. Resolves when both answer. */
export async function startStores(engine: Engine, prefix: string, directory: string): Promise<Stores> {
  const password = randomBytes(12).toString('hex')

  /** @returns where its port is reached from this machine */
  const start = async (
    service: ServiceName,
    port: number,
    settings: Record<string, string>,
  ): Promise<string> => {
    const name = `${prefix}-${service}`
    const file = writeSettings(path.join(directory, `${service}.env`), settings)
    const image = await ensureServiceImage(engine, service)
    const options = [
      `--name=${name}`,
      `--network=${prefix}`,
      `--publish=127.0.0.1::${port}`,
      `--env-file=${file}`,
    ]
    await engine.docker('run', '--detach', ...options, image)
    return (await engine.docker('port', name, `${port}/tcp`)).split('\n')[0] ?? ''
  }
  const [postgres, rabbitmq] = await Promise.all([
    start('postgres', 5432, { POSTGRES_USER: USER, POSTGRES_DB: DATABASE, POSTGRES_PASSWORD: password }),
    start('rabbitmq', 5672, { RABBITMQ_DEFAULT_USER: USER, RABBITMQ_DEFAULT_PASS: password }),
  ])
  const urlOf = (scheme: string, address: string, path: string) =>
    `${scheme}://${USER}:${password}@${address}/${path}`
  const openDatabase = (name: string) => {
    const pool = new pg.Pool({ connectionString: urlOf('postgresql', postgres, name), max: 3 })
    pool.on('error', () => {}) // The server goes before it does.
    return pool
  }
  const admin = openDatabase(DATABASE)
  await answers('PostgreSQL', () => admin.query('select 1'))
  await admin.end()
  await answers('RabbitMQ', async () => (await amqp.connect(urlOf('amqp', rabbitmq, ''))).close())
  return {
    databaseUrl: (name) => urlOf('postgresql', `${prefix}-postgres:5432`, name),
    rabbitmqUrl: urlOf('amqp', `${prefix}-rabbitmq:5672`, ''),
    openDatabase,
  }
}

async function answers(name: string, ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    try {
      await ask()
      return
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`${name} did not answer in time`, { cause })
      await sleep(200)
    }
  }
}
