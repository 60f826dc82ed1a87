import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { COMPONENTS } from '../../src/components.ts'
import { readGitHubSettings } from './github-settings.ts'
import { generateSettings, missingSettings, readSettings, type Settings } from './settings-file.ts'

// `npm run compose -- …`: docker compose on compose.yaml, with the secrets of this installation. `up` first makes what is
// missing (secrets, images), and waits until everything is healthy; `kodus …` is the command line on this installation;
// everything else is compose's own.

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const COMPOSE_FILE = fileURLToPath(new URL('compose.yaml', import.meta.url))
// Both are compose's own variables.
const SETTINGS_FILE = process.env.COMPOSE_ENV_FILES ?? path.join(path.dirname(COMPOSE_FILE), '.env')
const PROJECT = process.env.COMPOSE_PROJECT_NAME ?? 'kodus'
const COMMAND_LINE = path.join(CHECKOUT, 'src/cli/main.ts')

const [command, ...rest] = process.argv.slice(2)
process.exitCode = main()

function main(): number {
  if (!succeeds(['compose', 'version'])) return composeIsMissing()
  if (command === 'up') return up()
  if (command === 'kodus') return kodus()
  return compose(process.argv.slice(2))
}

function up(): number {
  const missing = missingSettings(readSettings(SETTINGS_FILE))
  if (missing.includes('POSTGRES_PASSWORD') && hasData()) return secretsAreLost()
  if (missing.length > 0) generateSettings(SETTINGS_FILE, missing)
  const built = buildMissingImages()
  if (built !== 0) return built
  return compose(['up', '--detach', '--wait', ...rest])
}

/** The command line of this checkout, on the stores of this installation. */
function kodus(): number {
  const settings = readSettings(SETTINGS_FILE)
  const address = (service: string, port: number) => ask(['port', service, String(port)]).trim()
  const DATABASE_URL = `postgresql://kodus:${settings.POSTGRES_PASSWORD}@${address('postgres', 5432)}/kodus`
  const RABBITMQ_URL = `amqp://kodus:${settings.RABBITMQ_PASSWORD}@${address('rabbitmq', 5672)}`
  return run(process.execPath, [COMMAND_LINE, ...rest], {
    ...settings,
    // It reads what setup left by itself.
    ...process.env,
    DATABASE_URL,
    RABBITMQ_URL,
  })
}

/** Whether PostgreSQL has been started here before, with a password that only the settings knew. */
function hasData(): boolean {
  return succeeds(['volume', 'inspect', `${PROJECT}_postgres`])
}

function secretsAreLost(): number {
  console.error(
    `COMPOSE_SECRETS_LOST: there is data of an installation, and ${SETTINGS_FILE} does not have its passwords.\n` +
      `Put the file back from a backup. To start anew without the data: docker volume rm ${PROJECT}_postgres ${PROJECT}_rabbitmq`,
  )
  return 1
}

function composeIsMissing(): number {
  console.error(
    'COMPOSE_MISSING: `docker compose version` does not answer.\n' +
      'Install Docker Engine with its compose plugin (Debian 13: apt-get install docker.io docker-cli docker-compose), or Docker Desktop.',
  )
  return 1
}

function buildMissingImages(): number {
  const { services } = JSON.parse(ask(['config', '--format', 'json']))
  const missing = Object.values(COMPONENTS)
    .map(({ name }) => ({ name, image: services[name].image as string }))
    .filter(({ image }) => !succeeds(['image', 'inspect', image]))
  if (missing.length === 0) return 0
  const tag = missing[0]?.image.split(':').at(-1) ?? ''
  if (process.env.KODUS_VERSION ?? readSettings(SETTINGS_FILE).KODUS_VERSION) return versionIsMissing(tag)
  console.error(`Building ${missing.map(({ image }) => image).join(', ')} …`)
  return run(
    process.execPath,
    [COMMAND_LINE, 'build', '--tag', tag, ...missing.map(({ name }) => name)],
    process.env,
  )
}

/** This checkout is not the version that was asked for by name. */
function versionIsMissing(tag: string): number {
  console.error(
    `IMAGE_MISSING: KODUS_VERSION asks for ${tag}, and this engine does not have all three of its images.\n` +
      `Check out that version and build them (npm run images -- --tag ${tag}), or unset KODUS_VERSION.`,
  )
  return 1
}

function compose(args: readonly string[]): number {
  return run('docker', withFiles(args), environment())
}

function succeeds(args: readonly string[]): boolean {
  return spawnSync('docker', args, { stdio: 'ignore' }).status === 0
}

/** What compose prints. Ends this process where it fails, after what it said. */
function ask(args: readonly string[]): string {
  const { status, stdout } = spawnSync('docker', withFiles(args), {
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) process.exit(status ?? 1)
  return stdout
}

function withFiles(args: readonly string[]): string[] {
  return ['compose', '--env-file', SETTINGS_FILE, '--file', COMPOSE_FILE, ...args]
}

/** The settings' file has precedence over what setup left, and the shell over both. */
function environment(): NodeJS.ProcessEnv {
  const fromSetup: Settings = readGitHubSettings(path.join(CHECKOUT, '.kodus/github.env'))
  const own = readSettings(SETTINGS_FILE)
  const added = Object.entries(fromSetup).filter(([name]) => own[name] === undefined)
  return { ...Object.fromEntries(added), ...process.env }
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): number {
  const { status, error } = spawnSync(program, args, { env, stdio: 'inherit' })
  if (error) console.error(`${program} cannot be started: ${error.message}`)
  return status ?? 1
}
