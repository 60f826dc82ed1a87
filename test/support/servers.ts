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
import { type Series, seriesKnown } from './rabbitmq-installation.ts'
import { startRabbitmqNode } from './rabbitmq-node.ts'
import { ensureTemplate, SERVER_SETTINGS } from './template-database.ts'

/** What test files are told of the servers of their run, by environment variables. */
export interface ServerVariables {
  /** The administrator's, on the server where each test gets a database. */
  KODUS_TEST_DATABASE_URL: string
  /** Where the nodes are, each in a folder that is named after its series. */
  KODUS_TEST_RABBITMQ_DIRECTORY: string
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
  const rabbitmq = path.join(options.directory, 'rabbitmq')
  // All of them have settled when one has failed: only then is it known what is to be stopped.
  const [database, ...brokers] = await Promise.allSettled([
    startPostgres(options),
    ...seriesKnown.map((series) => startRabbitmq(options, path.join(rabbitmq, series), series)),
  ])
  if (database.status === 'rejected') throw database.reason
  for (const broker of brokers) if (broker.status === 'rejected') throw broker.reason
  return { ...database.value, KODUS_TEST_RABBITMQ_DIRECTORY: rabbitmq }
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

async function startRabbitmq(
  { rabbitmqRequired, shutdown }: ServerOptions,
  directory: string,
  series: Series,
): Promise<void> {
  const reason = installRabbitmq(series)
  if (reason && rabbitmqRequired) throw new Error(reason)
  if (reason) return console.error(`${reason}. Its tests will be skipped.`)
  const node = await startRabbitmqNode({ directory, series })
  shutdown.add(`RabbitMQ ${series}`, () => node.stop())
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
