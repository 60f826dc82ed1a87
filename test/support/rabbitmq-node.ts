import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { findRabbitmq, type Series } from './rabbitmq-installation.ts'

export interface RabbitmqNode {
  url: string
  /** Of the Erlang machine itself, for SIGSTOP and the like. */
  pid: number
  directory: string
  /** `rabbitmqctl` on this node; resolves with its output. */
  ctl(args: string[]): Promise<string>
  /** An orderly shutdown. */
  stop(): Promise<void>
  /** SIGKILL: what a machine that loses its power does. The same directory and port can be started again. */
  kill(): Promise<void>
}

/** What others need to find a node, kept in the node's directory. */
interface NodeFile {
  url: string
  scripts: string
  env: Record<string, string>
}

const READY_WITHIN_MS = 60_000
const STOPPED_WITHIN_MS = 20_000
const CTL_WITHIN_MS = 60_000

/**
 * Starts a node that shares nothing with any other on the machine: names, ports, files, cookie and port
 * mapper (epmd) are its own, and it listens on 127.0.0.1 only. Started again on the directory and port of a
 * node that ended, it is that node.
 */
export async function startRabbitmqNode(options: {
  directory: string
  port?: number
  /** The oldest that is installed, unless it is said. */
  series?: Series
}): Promise<RabbitmqNode> {
  const installation = findRabbitmq(options.series)
  if (!installation) throw new Error(`RabbitMQ ${options.series ?? ''} is not installed`)
  const { scripts, erlang } = installation
  const port = options.port ?? (await freePort())
  const env = await prepare(options.directory, port)
  if (erlang) env.PATH = `${erlang}:${env.PATH}`
  const url = `amqp://guest:guest@127.0.0.1:${port}`
  const node: NodeFile = { url, scripts, env }
  writeFileSync(nodeFile(options.directory), JSON.stringify(node), { mode: 0o600 })

  const logFile = path.join(options.directory, 'server.log')
  const log = openSync(logFile, 'a')
  // Groups of their own: Ctrl-C in a terminal is for the tests, which then stop the node.
  const spawned = { env, cwd: options.directory, detached: true, stdio: ['ignore', log, log] as const }
  const epmd = spawn('epmd', [], { ...spawned, stdio: [...spawned.stdio] })
  const server = spawn(path.join(scripts, 'rabbitmq-server'), [], { ...spawned, stdio: [...spawned.stdio] })
  closeSync(log)

  const end = async (signal: NodeJS.Signals) => {
    await ended(server, signal)
    await ended(epmd, 'SIGKILL')
  }
  try {
    await untilReady(url, server)
  } catch (error) {
    await end('SIGKILL')
    const output = readFileSync(logFile, 'utf8').trim().split('\n').slice(-20).join('\n')
    throw new Error(`RabbitMQ did not start. The end of its log:\n${output}`, { cause: error })
  }
  return {
    url,
    pid: server.pid ?? 0,
    directory: options.directory,
    ctl: (args) => rabbitmqctl(options.directory, args),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

export function nodeFile(directory: string): string {
  return path.join(directory, 'node.json')
}

export function readNodeFile(directory: string): NodeFile {
  return JSON.parse(readFileSync(nodeFile(directory), 'utf8'))
}

/** Runs `rabbitmqctl` on the node of a directory; rejects with what it said. */
export function rabbitmqctl(directory: string, args: string[]): Promise<string> {
  const { scripts, env } = readNodeFile(directory)
  const options = { env, cwd: directory, timeout: CTL_WITHIN_MS, killSignal: 'SIGKILL' as const }
  return new Promise((resolve, reject) => {
    const ctl = execFile(
      path.join(scripts, 'rabbitmqctl'),
      ['--quiet', ...args],
      options,
      (error, stdout, stderr) => {
        if (error) reject(new Error(`rabbitmqctl ${args[0]}: ${stderr || stdout || error.message}`))
        else resolve(stdout)
      },
    )
    ctl.stdin?.end()
  })
}

async function prepare(directory: string, port: number): Promise<Record<string, string>> {
  mkdirSync(directory, { recursive: true })
  const file = (name: string, content: string) => {
    writeFileSync(path.join(directory, name), content)
    return path.join(directory, name)
  }
  return {
    PATH: process.env.PATH ?? '',
    LANG: 'C.UTF-8',
    HOME: directory, // Erlang keeps its cookie there.
    ERL_EPMD_PORT: String(await freePort()),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `kodus-test-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(await freePort()),
    // Without these all that run at the same time on this machine share 11 ports.
    RABBITMQ_CTL_DIST_PORT_MIN: '20000',
    RABBITMQ_CTL_DIST_PORT_MAX: '60000',
    RABBITMQ_MNESIA_BASE: path.join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: path.join(directory, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: file('rabbitmq.conf', 'loopback_users.guest = true\n'),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', '[].\n'),
    // The script then becomes the server instead of its parent, so that its pid is the server's.
    RUNNING_UNDER_SYSTEMD: '1',
  }
}

async function untilReady(url: string, server: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    try {
      await (await amqp.connect(url, { timeout: 5_000 })).close()
      return
    } catch (error) {
      if (server.exitCode !== null || server.signalCode !== null || Date.now() > deadline) throw error
    }
    await sleep(100)
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  const killer = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN_MS)
  child.kill(signal)
  await exit
  clearTimeout(killer)
}
