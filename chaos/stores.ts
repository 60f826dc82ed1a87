import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/cli/stack/embedded-postgres.ts'
import { silentLog } from '../src/lib/log.ts'
import { migrate } from '../src/store/migrate.ts'
import { declareQueues } from '../test/support/declare-queues.ts'
import { installRabbitmq } from '../test/support/install-rabbitmq.ts'
import { type RabbitmqNode, startRabbitmqNode } from '../test/support/rabbitmq-node.ts'
import { SERVER_SETTINGS } from '../test/support/template-database.ts'
import type { Scope } from './scope.ts'

/** A server that can be ended in any way and started again, at the same address. */
export interface Store {
  url: string
  /** Where it listens now; changed in place when it has to move. */
  readonly target: { host: string; port: number }
  /** An orderly stop. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
  start(): Promise<void>
}

export interface Broker extends Store {
  freeze(): void
  thaw(): void
  /** `rabbitmqctl`. */
  ctl(args: string[]): Promise<string>
}

export async function startPostgres(scope: Scope, directory: string): Promise<Store> {
  const home = path.join(directory, 'postgres')
  // The oracle asks in which order transactions were committed.
  const settings = { ...SERVER_SETTINGS, track_commit_timestamp: 'on' }
  const start = (preferredPort?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      directory: home,
      ...(preferredPort && { preferredPort }),
      settings,
      log: silentLog,
    })
  let server = await start()
  const target = { host: '127.0.0.1', port: server.port }
  const { url } = server
  scope.after(() => server.stop())
  return {
    url,
    target,
    stop: () => server.stop(),
    async kill() {
      if (server.pid > 1) process.kill(server.pid, 'SIGKILL')
      await untilGone(server.pid)
    },
    async start() {
      server = await start(target.port)
      target.port = server.port
    },
  }
}

export async function startBroker(scope: Scope, directory: string): Promise<Broker> {
  const reason = installRabbitmq()
  if (reason) throw new Error(reason)
  const home = path.join(directory, 'rabbitmq')
  mkdirSync(home, { recursive: true })
  let node: RabbitmqNode = await startRabbitmqNode({ directory: home })
  await declareQueues(node.url)
  await node.stop()
  node = await startRabbitmqNode({ directory: home, port: Number(new URL(node.url).port) })
  const target = { host: '127.0.0.1', port: Number(new URL(node.url).port) }
  const signal = (name: NodeJS.Signals) => {
    if (node.pid > 1) process.kill(node.pid, name)
  }
  scope.after(() => node.kill())
  return {
    url: node.url,
    target,
    stop: () => node.stop(),
    kill: () => node.kill(),
    async start() {
      node = await startRabbitmqNode({ directory: home, port: target.port })
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    // Its own Erlang machine does not always start beside as many others.
    ctl: (args) => node.ctl(args).catch(() => node.ctl(args)),
  }
}

/** A pool for those who look on, which outlives the server's outages. */
export async function openObserver(scope: Scope, url: string): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'observer',
    max: 4,
    query_timeout: 60_000,
  })
  pool.on('error', () => {})
  scope.after(() => pool.end())
  await migrate(pool)
  return pool
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await sleep(20)
  }
}
