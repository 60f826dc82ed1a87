import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import path from 'node:path'
import amqp from 'amqplib'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { silentLog } from '../../src/lib/log.ts'
import { createShutdown } from '../../src/lib/shutdown.ts'
import { installRabbitmq } from '../../test/support/install-rabbitmq.ts'
import { type RabbitmqNode, startRabbitmqNode } from '../../test/support/rabbitmq-node.ts'
import { ensureTemplate, urlOfDatabase } from '../../test/support/template-database.ts'

export interface Postgres {
  pid: number
  /** A new database, migrated as ours or empty; returns its URL. */
  createDatabase(name: string, options: { migrated: boolean }): Promise<string>
  dropDatabase(name: string): Promise<void>
  /** What decides how durable a commit is, as the server says. */
  settings: string
}

export interface Rabbitmq extends RabbitmqNode {
  version: string
}

export interface Bench {
  directory: string
  /** Adds a release; all run, last first, when the bench ends. */
  onEnd(name: string, release: () => Promise<unknown> | unknown): void
}

/**
 * Runs a bench in a directory of its own, and removes it and all that the bench started, also when it fails
 * or is interrupted. Below /var/tmp, since /tmp is memory on many machines, and a commit costs nothing there.
 */
export async function runBench(name: string, bench: (bench: Bench) => Promise<void>): Promise<void> {
  const shutdown = createShutdown(silentLog)
  const directory = mkdtempSync(`/var/tmp/kodus-bench-${name}-`)
  // PostgreSQL runs under an account of its own where this is root.
  chmodSync(directory, 0o755)
  shutdown.add('directory', () => rmSync(directory, { recursive: true, force: true }))
  for (const event of ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'] as const) {
    process.once(event, (reason: unknown) => {
      console.error(reason)
      void shutdown.run().finally(() => process.exit(1))
    })
  }
  try {
    await bench({ directory, onEnd: shutdown.add })
  } finally {
    await shutdown.run()
  }
}

/** The product's own embedded server, with the settings it has there. */
export async function startPostgres({ directory, onEnd }: Bench): Promise<Postgres> {
  const server = await startEmbeddedPostgres({ directory: path.join(directory, 'postgres'), log: silentLog })
  onEnd('PostgreSQL', () => server.stop())
  const template = await ensureTemplate(server.url)
  const admin = new pg.Pool({ connectionString: server.url, max: 1 })
  onEnd('administration', () => admin.end())
  const { rows } = await admin.query<{ setting: string }>(
    `select name || ' = ' || setting as setting from pg_settings
     where name in ('fsync', 'synchronous_commit', 'full_page_writes') or name = 'server_version' order by name desc`,
  )
  return {
    pid: server.pid,
    settings: rows.map(({ setting }) => setting).join(', '),
    async createDatabase(name, { migrated }) {
      await admin.query(`create database ${name} template ${migrated ? template : 'template0'}`)
      return urlOfDatabase(server.url, name)
    },
    dropDatabase: async (name) => void (await admin.query(`drop database if exists ${name} with (force)`)),
  }
}

/** @throws Error when it is not installed, and cannot be */
export async function startRabbitmq({ directory, onEnd }: Bench): Promise<Rabbitmq> {
  const missing = installRabbitmq()
  if (missing) throw new Error(missing)
  const node = await startRabbitmqNode({ directory: path.join(directory, 'rabbitmq') })
  onEnd('RabbitMQ', () => node.stop())
  const connection = await amqp.connect(node.url)
  const { version } = connection.connection.serverProperties
  await connection.close()
  return { ...node, version }
}
