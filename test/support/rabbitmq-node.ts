import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, globSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import amqp from 'amqplib'
import { freePort } from '../../src/cli/stack/free-port.ts'

export interface RabbitmqNode {
  url: string
  /** Of the Erlang machine itself, for SIGSTOP and the like. */
  pid: number
  directory: string
  /** `rabbitmqctl` on this node; resolves with its output. */
  ctl(args: string[], input?: string): Promise<string>
  /** An orderly shutdown. */
  stop(): Promise<void>
  /** SIGKILL: what a machine that loses its power does. The same directory and port can be started again. */
  kill(): Promise<void>
}

/** What `rabbitmqctl` needs to find a node, kept in the node's directory. */
interface NodeFile {
  scripts: string
  env: Record<string, string>
}

/** Debian's package, then Homebrew's. The scripts in /usr/sbin insist on the system's one node. */
const SCRIPTS = [
  '/usr/lib/rabbitmq/lib/*/sbin',
  '/opt/homebrew/opt/rabbitmq/sbin',
  '/usr/local/opt/rabbitmq/sbin',
]

const READY_WITHIN_MS = 60_000
const STOPPED_WITHIN_MS = 20_000

/** Where RabbitMQ's own scripts are; undefined when it is not installed. */
export function findRabbitmqScripts(): string | undefined {
  return globSync(SCRIPTS)
    .sort()
    .findLast((directory) => existsSync(path.join(directory, 'rabbitmq-server')))
}

/**
 * Starts a node that shares nothing with any other on the machine: names, ports, files, cookie and port
 * mapper (epmd) are its own, and it listens on 127.0.0.1 only. Started again on the directory and port of a
 * node that ended, it is that node.
 */
export async function startRabbitmqNode(options: {
  directory: string
  port?: number
}): Promise<RabbitmqNode> {
  const scripts = findRabbitmqScripts()
  if (!scripts) throw new Error('RabbitMQ is not installed')
  const port = options.port ?? (await freePort())
  const env = await prepare(options.directory, port)
  const node: NodeFile = { scripts, env }
  writeFileSync(path.join(options.directory, 'node.json'), JSON.stringify(node), { mode: 0o600 })

  const logFile = path.join(options.directory, 'server.log')
  const log = openSync(logFile, 'a')
  // Groups of their own: Ctrl-C in a terminal is for the tests, which then stop the node.
  const spawned = { env, cwd: options.directory, detached: true, stdio: ['ignore', log, log] as const }
  const epmd = spawn('epmd', [], { ...spawned, stdio: [...spawned.stdio] })
  const server = spawn(path.join(scripts, 'rabbitmq-server'), [], { ...spawned, stdio: [...spawned.stdio] })
  closeSync(log)
  const url = `amqp://guest:guest@127.0.0.1:${port}`

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
    ctl: (args, input) => rabbitmqctl(options.directory, args, input),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** Runs `rabbitmqctl` on the node of a directory; rejects with what it said. */
export function rabbitmqctl(directory: string, args: string[], input = ''): Promise<string> {
  const { scripts, env }: NodeFile = JSON.parse(readFileSync(path.join(directory, 'node.json'), 'utf8'))
  return new Promise((resolve, reject) => {
    const ctl = execFile(
      path.join(scripts, 'rabbitmqctl'),
      ['--quiet', ...args],
      { env, cwd: directory },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`rabbitmqctl ${args[0]}: ${stderr || stdout || error.message}`))
        else resolve(stdout)
      },
    )
    ctl.stdin?.end(input)
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
