import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { availableParallelism, constants, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../src/lib/errors.ts'
import { createLog } from '../src/lib/log.ts'
import { createShutdown } from '../src/lib/shutdown.ts'
import { countLine, countOutcomes, listNotRun } from './support/count.ts'
import { cleanUpAfterTests, keptDatabases, type ServerVariables, startServers } from './support/servers.ts'
import { testEnvironment } from './support/test-environment.ts'

// `npm test`: brings up what the tests need, runs all of them (or the files and `node --test` options given
// after `--`), takes everything down again, and says as its last line how many passed.

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TEST_LIMIT_MS = 120_000
/** Tests wait for servers more than they compute: one more runs than there are cores. */
const CONCURRENCY = availableParallelism() + 1
const INTERRUPT_GRACE_MS = 10_000

const onCi = process.env.CI === 'true'
const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort(signal))

const directory = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-tests-')))
const temporary = path.join(directory, 'tmp')
const outcomes = path.join(directory, 'outcomes')
mkdirSync(temporary)
// Database servers, which refuse to be root, have to get through.
chmodSync(directory, 0o755)
chmodSync(temporary, 0o1777)

const shutdown = createShutdown(createLog('test'))
let exitCode = 1
let kept: string[] = []
try {
  const log = createLog('test', 'warn')
  const servers = await startServers({ directory, rabbitmqRequired: onCi, shutdown, log })
  exitCode = interrupt.signal.aborted ? 1 : await runTests(servers, process.argv.slice(2))
  if (exitCode !== 0 && !onCi && !interrupt.signal.aborted) {
    kept = await keptDatabases(servers.KODUS_TEST_DATABASE_URL)
  }
} catch (error) {
  console.error(`\nThe tests could not be run: ${messageOf(error)}`)
}
await cleanUpAfterTests(temporary)
await shutdown.run()

const count = countOutcomes(outcomes, { missingFails: onCi })
for (const name of kept.length > 0 ? ['tmp', 'rabbitmq', 'outcomes'] : ['']) {
  rmSync(path.join(directory, name), { recursive: true, force: true })
}
console.log(listNotRun(count, ROOT))
if (kept.length > 0) {
  console.log(`Databases of failed tests: ${kept.join(', ')}`)
  console.log(`To look at them: node test/support/open-databases.ts ${directory}\n`)
}
if (exitCode === 0 && count.passed + count.failed === 0) {
  console.error('No test was run.\n')
  exitCode = 1
}
if (interrupt.signal.aborted) exitCode = 128 + constants.signals[interrupt.signal.reason as NodeJS.Signals]
console.log(countLine(count))
process.exit(exitCode || (count.failed > 0 ? 1 : 0))

async function runTests(servers: ServerVariables, args: string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith('-'))
  const files = args.filter((arg) => !arg.startsWith('-'))
  const support = (file: string) => path.join(ROOT, 'test', 'support', file)
  const runner = spawn(
    process.execPath,
    [
      '--test',
      `--import=${support('guard.ts')}`,
      `--test-concurrency=${CONCURRENCY}`,
      `--test-timeout=${TEST_LIMIT_MS}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${support('reporter.ts')}`,
      `--test-reporter-destination=${outcomes}`,
      ...options,
      ...(files.length > 0 ? files : globSync('test/**/*.test.ts', { cwd: ROOT }).sort()),
    ],
    {
      cwd: ROOT,
      env: { ...testEnvironment(process.env), ...servers, TMPDIR: temporary },
      // A group of its own, so that an interrupt reaches all test processes, wherever it comes from.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const signalGroup = (signal: NodeJS.Signals) => {
    const isAlive = runner.exitCode === null && runner.signalCode === null
    if (isAlive && runner.pid !== undefined && runner.pid > 1) process.kill(-runner.pid, signal)
  }
  interrupt.signal.addEventListener('abort', () => {
    signalGroup('SIGINT')
    setTimeout(() => signalGroup('SIGKILL'), INTERRUPT_GRACE_MS).unref()
  })
  const [code] = await once(runner, 'exit')
  return code ?? 1
}
