import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { lockDirectory } from '../../src/cli/stack/lock-directory.ts'
import { KodusError } from '../../src/lib/errors.ts'
import { CACHE } from '../support/debian-packages.ts'
import { type EnginePrograms, findEnginePrograms } from './engine-programs.ts'
import { runCommand } from './run-command.ts'
import { unmountBelow } from './unmount-below.ts'

export interface PrivateEngine {
  env: Readonly<Record<string, string>>
  close(): Promise<void>
}

const MOST_AT_ONCE = 10
const READY_WITHIN_MS = 60_000
const ENDED_WITHIN_MS = 20_000
const PROGRAMS = new Set(['dockerd', 'containerd', 'containerd-shim-runc-v2'])

/**
 * Starts a Docker daemon that shares nothing with the machine but its kernel: own socket, data, plugins and control
 * groups, and no word to the machine's firewall and routing. So its containers reach each other, by name, and this
 * machine, and are reached by their addresses and published ports; the world beyond they do not reach. Images stay
 * for the next; containers, networks and volumes do not.
 *
 * It ends with this process, however that ends.
 */
export async function startPrivateEngine(
  shell: Readonly<Record<string, string>>,
): Promise<PrivateEngine | { missing: string }> {
  if (process.platform !== 'linux')
    return { missing: 'no engine answers, and one can be started on Linux only' }
  if (process.getuid?.() !== 0) return { missing: 'no engine answers, and only root can start one' }
  const programs = findEnginePrograms()
  if ('missing' in programs) return programs

  const { directory, unlock } = await takeDirectory()
  const env = {
    ...shell,
    PATH: [...programs.path, shell.PATH].join(':'),
    DOCKER_HOST: `unix://${path.join(directory, 'docker.sock')}`,
    DOCKER_CONFIG: path.join(directory, 'config'),
    DOCKER_BUILDKIT: '1', // What newer engines do unasked.
  }
  const daemonEnv = { ...env, ...programs.daemonEnv }
  const close = async () => {
    await removeAll(env).catch(() => {})
    await stopAllOf(directory, daemonEnv)
    unlock()
  }
  try {
    await stopAllOf(directory, daemonEnv) // What a test that was killed has left.
    installPlugins(env.DOCKER_CONFIG, programs)
    await makeBridge(directory, daemonEnv)
    await startDaemon(directory, daemonEnv)
    await removeAll(env)
  } catch (error) {
    await close()
    throw error
  }
  return { env, close }
}

/** Tests may run at the same time, and two daemons on the same data would destroy it. */
async function takeDirectory(): Promise<{ directory: string; unlock: () => void }> {
  for (let number = 0; number < MOST_AT_ONCE; number++) {
    const directory = path.join(CACHE, 'docker', String(number))
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    try {
      return { directory, unlock: await lockDirectory(directory) }
    } catch (error) {
      if (!(error instanceof KodusError && error.code === 'STACK_ALREADY_RUNS')) throw error
    }
  }
  throw new Error(`${MOST_AT_ONCE} private Docker engines run already`)
}

function installPlugins(config: string, { compose, buildx }: EnginePrograms): void {
  const plugins = path.join(config, 'cli-plugins')
  rmSync(config, { recursive: true, force: true })
  mkdirSync(plugins, { recursive: true, mode: 0o700 })
  for (const file of [compose, buildx]) symlinkSync(file, path.join(plugins, path.basename(file)))
}

async function startDaemon(directory: string, env: Readonly<Record<string, string>>): Promise<void> {
  const settings = path.join(directory, 'daemon.json')
  writeFileSync(settings, '{}') // Not the machine's.
  const options = {
    'config-file': settings,
    host: env.DOCKER_HOST,
    'data-root': path.join(directory, 'data'),
    'exec-root': path.join(directory, 'run'),
    pidfile: path.join(directory, 'docker.pid'),
    // Each container's own tables, by which it finds names, are written all the same.
    iptables: false,
    ip6tables: false,
    'ip-forward': false,
    'ip-masq': false,
    bridge: ownName(directory), // BuildKit insists on one.
    // systemd may not be there to make groups.
    'exec-opt': 'native.cgroupdriver=cgroupfs',
    'cgroup-parent': `/${ownName(directory)}`,
    'log-level': 'warn',
  }
  const logFile = path.join(directory, 'docker.log')
  const log = openSync(logFile, 'w')
  const flags = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  // The kernel tells it when this process is gone.
  const daemon = spawn('setpriv', ['--pdeathsig', 'SIGTERM', 'dockerd', ...flags], {
    env: { ...env },
    cwd: directory,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  daemon.unref()
  const failed = once(daemon, 'exit').then(() => 'it ended')
  const outcome = await Promise.race([answers(env), failed])
  if (outcome === 'answers') return
  const said = readFileSync(logFile, 'utf8').trim().split('\n').slice(-10).join('\n')
  throw new Error(`The private Docker engine did not start, ${outcome}:\n${said}`)
}

async function answers(env: Readonly<Record<string, string>>): Promise<string> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (Date.now() < deadline) {
    try {
      await runCommand('docker', ['version'], { env, withinMs: READY_WITHIN_MS })
      return 'answers'
    } catch {
      await sleep(200)
    }
  }
  return 'it took too long'
}

/** What is left in it belongs to tests that are over, and would be started again as they had asked. */
async function removeAll(env: Readonly<Record<string, string>>): Promise<void> {
  const docker = (...args: string[]) => runCommand('docker', args, { env })
  const containers = (await docker('ps', '--all', '--quiet')).split('\n').filter(Boolean)
  if (containers.length > 0) await docker('rm', '--force', '--volumes', ...containers)
  await docker('network', 'prune', '--force')
  const volumes = (await docker('volume', 'ls', '--quiet')).split('\n').filter(Boolean)
  if (volumes.length > 0) await docker('volume', 'rm', '--force', ...volumes)
  // Images with a name are made once, and stay.
  await docker('image', 'prune', '--force')
  await docker('builder', 'prune', '--force', '--filter', 'until=24h')
}

/** Asks the daemon of a directory to stop, ends what does not, and takes away what those leave that end suddenly. */
async function stopAllOf(directory: string, env: Readonly<Record<string, string>>): Promise<void> {
  for (const { pid, program } of processesOf(directory)) if (program === 'dockerd') kill(pid, 'SIGTERM')
  await until(() => processesOf(directory).length === 0)
  for (const { pid } of processesOf(directory)) kill(pid, 'SIGKILL')
  await until(() => processesOf(directory).length === 0)
  unmountBelow(directory)
  await runCommand('ip', ['link', 'delete', ownName(directory)], { env }).catch(() => {}) // There may be none.
  rmSync(path.join(directory, 'run'), { recursive: true, force: true })
  for (const name of ['docker.pid', 'docker.sock']) rmSync(path.join(directory, name), { force: true })
  removeControlGroups(ownName(directory))
}

/** Those of containers that were ended with their daemon lie within. */
function removeControlGroups(name: string): void {
  const groups = globSync([`/sys/fs/cgroup/{,*/}${name}`, `/sys/fs/cgroup/{,*/}${name}/*/`])
  for (const group of groups.sort((a, b) => b.length - a.length)) {
    try {
      rmdirSync(group)
    } catch {} // One that the kernel still keeps does no harm.
  }
}

/** Of what a daemon has outside of its directory: its control group and its bridge. At most 15 characters. */
function ownName(directory: string): string {
  return `kodus-engine-${path.basename(directory)}`
}

/** A bridge that the daemon would make itself is called docker0, and stays. */
async function makeBridge(directory: string, env: Readonly<Record<string, string>>): Promise<void> {
  const bridge = ownName(directory)
  const ip = (...args: string[]) => runCommand('ip', args, { env })
  await ip('link', 'add', 'name', bridge, 'type', 'bridge')
  await ip('address', 'add', `10.213.${path.basename(directory)}.1/24`, 'dev', bridge)
  await ip('link', 'set', bridge, 'up')
}

function kill(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {} // It has ended meanwhile.
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + ENDED_WITHIN_MS
  while (!isSo() && Date.now() < deadline) await sleep(50)
}

/** The daemons that were told of this directory, whoever started them. */
function processesOf(directory: string): { pid: number; program: string }[] {
  return globSync('/proc/[0-9]*').flatMap((entry) => {
    try {
      const program = path.basename(readlinkSync(`${entry}/exe`))
      const told = readFileSync(`${entry}/cmdline`, 'utf8').includes(`${directory}/`)
      return told && PROGRAMS.has(program) ? [{ pid: Number(path.basename(entry)), program }] : []
    } catch {
      return [] // It has ended meanwhile.
    }
  })
}
