import { globSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { stopPostmaster } from '../../src/cli/stack/postmaster.ts'
import { identify, readPostmasterFile } from '../../src/cli/stack/postmaster-file.ts'
import { SYSTEM_DIRECTORY } from '../../src/cli/stack/system-directory.ts'
import type { Log } from '../../src/lib/log.ts'
import type { Shutdown } from '../../src/lib/shutdown.ts'
import { installRabbitmq } from './install-rabbitmq.ts'
import { startRabbitmqNode } from './rabbitmq-node.ts'
import { ensureTemplate, SERVER_SETTINGS } from './template-database.ts'

/** What test files are told of the servers of their run, by environment variables. */
export interface ServerVariables {
  /** The administrator's, on the server where each test gets a database. */
  KODUS_TEST_DATABASE_URL: string
  KODUS_TEST_RABBITMQ_URL?: string
  /** The node's directory, for `rabbitmqctl`. */
  KODUS_TEST_RABBITMQ_DIRECTORY?: string
}

export interface ServerOptions {
  directory: string
  /** Without RabbitMQ its tests are skipped, or, when it is required, none is run. */
  rabbitmqRequired: boolean
  shutdown: Shutdown
  log: Log
}

/** Starts the servers that all test files share, with the database that each test's is copied from. */
export async function startServers(options: ServerOptions): Promise<ServerVariables> {
  const [database, rabbitmq] = await Promise.allSettled([startPostgres(options), startRabbitmq(options)])
  if (database.status === 'rejected') throw database.reason
  if (rabbitmq.status === 'rejected') throw rabbitmq.reason
  return { ...database.value, ...rabbitmq.value }
}

async function startPostgres({ directory, shutdown, log }: ServerOptions) {
  const server = await startEmbeddedPostgres({
    directory: path.join(directory, 'postgres'),
    settings: SERVER_SETTINGS,
    log,
  })
  shutdown.add('PostgreSQL', () => server.stop())
  await ensureTemplate(server.url)
  return { KODUS_TEST_DATABASE_URL: server.url }
}

async function startRabbitmq({ directory, rabbitmqRequired, shutdown }: ServerOptions) {
  const reason = installRabbitmq()
  if (reason && rabbitmqRequired) throw new Error(reason)
  if (reason) {
    console.error(`${reason}. Its tests will be skipped.`)
    return {}
  }
  const node = await startRabbitmqNode({ directory: path.join(directory, 'rabbitmq') })
  shutdown.add('RabbitMQ', () => node.stop())
  return { KODUS_TEST_RABBITMQ_URL: node.url, KODUS_TEST_RABBITMQ_DIRECTORY: node.directory }
}

/** Stops the database servers whose tests ended too suddenly to do it, and removes what they put into /var/lib. */
export async function cleanUpAfterTests(directory: string): Promise<void> {
  const places = globSync(path.join(SYSTEM_DIRECTORY, '*', 'place'))
  const elsewhere = places
    .filter((file) => readFileSync(file, 'utf8').startsWith(directory + path.sep))
    .map((file) => path.dirname(file))
  for (const root of [directory, ...elsewhere]) await stopServersBelow(root)
  for (const root of elsewhere) rmSync(root, { recursive: true })
}

async function stopServersBelow(directory: string): Promise<void> {
  for (const file of globSync('**/postmaster.pid', { cwd: directory })) {
    const data = path.join(directory, path.dirname(file))
    const left = readPostmasterFile(data)
    if (!left || identify(left, data) !== 'ours') continue
    console.error(`Stopping a database server that a test left running: ${data}`)
    await stopPostmaster({ data, logFile: path.join(path.dirname(data), 'server.log') }, left)
  }
}

/** The databases that failed tests left for inspection. */
export async function keptDatabases(url: string): Promise<string[]> {
  const admin = new pg.Pool({ connectionString: url, max: 1 })
  try {
    const { rows } = await admin.query<{ name: string }>(
      `select datname as name from pg_database where datname like 'test\\_%' order by oid`,
    )
    return rows.map(({ name }) => name)
  } finally {
    await admin.end()
  }
}
