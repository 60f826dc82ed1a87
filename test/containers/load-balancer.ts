import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Engine } from './engine.ts'
import { ensureServiceImage } from './service-images.ts'

export interface LoadBalancerOptions {
  /** Of its container; removed by `close`. */
  name: string
  /** Where the containers are that it balances. */
  network: string
  /** The port on which they listen, and the path that says 200 while one should be sent requests. */
  port: number
  ready: string
}

export interface LoadBalancer {
  /** Reached from this machine; other containers of the network reach it by its name, on port 8080. */
  readonly url: string
  /** Sends requests to a container too; resolves when a health check has found it ready. */
  add(container: string): Promise<void>
  /** Sends it no more new requests; resolves when it has answered those it had. */
  drain(container: string): Promise<void>
  /** Takes it out, whatever it is doing. */
  remove(container: string): Promise<void>
  servers(): Promise<BalancedServer[]>
  close(): Promise<void>
}

export interface BalancedServer {
  container: string
  state: 'up' | 'down' | 'draining'
  /** It said so when it was asked last. */
  isReady: boolean
  /** Requests being answered now, and sent to it so far. */
  running: number
  requests: number
}

const HTTP_PORT = 8080
const CONTROL_PORT = 9999
const STARTED_WITHIN_MS = 20_000
const ADDED_WITHIN_MS = 60_000
const DRAINED_WITHIN_MS = 60_000

/**
 * HAProxy, doing what is relied on of a cloud's load balancer, and nothing kinder: asks each server every second whether
 * it is ready, sends it nothing before the first yes, takes it out at the second no, and tries nothing twice.
 */
export async function startLoadBalancer(engine: Engine, options: LoadBalancerOptions): Promise<LoadBalancer> {
  const { name, network, port, ready } = options
  const image = await ensureServiceImage(engine, 'haproxy')
  await engine.docker(
    ...['run', '--detach', '--name', name, '--network', network],
    ...['--publish', `127.0.0.1::${HTTP_PORT}`, '--publish', `127.0.0.1::${CONTROL_PORT}`],
    ...['--env', `CONFIGURATION=${configuration(ready)}`],
    ...[
      image,
      'sh',
      '-c',
      'printf %s "$CONFIGURATION" > /tmp/haproxy.cfg && exec haproxy -db -f /tmp/haproxy.cfg 2>&1',
    ],
  )
  const { url, control } = await untilAnswers(engine, name).catch(async (cause) => {
    throw new Error(`HAProxy did not start:\n${await engine.docker('logs', name)}`, { cause })
  })
  const command = (...lines: string[]) => change(control, lines)

  const servers = async () => parseServers(await ask(control, 'show stat servers 4 -1'))
  const find = async (container: string) => (await servers()).find((each) => each.container === container)
  return {
    url,
    servers,
    async add(container) {
      const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`
      const address = await engine.docker('inspect', '--format', format, container)
      const server = `servers/${container}`
      await command(
        `add server ${server} ${address}:${port} check inter 1s fall 2 rise 1`,
        // Enabled, it would be sent requests before it was first asked.
        `set server ${server} state drain`,
        `enable health ${server}`,
      )
      await until(
        ADDED_WITHIN_MS,
        `${container} is ready`,
        async () => (await find(container))?.isReady === true,
      )
      await command(`set server ${server} state ready`)
    },
    async drain(container) {
      await command(`set server servers/${container} state drain`)
      await until(
        DRAINED_WITHIN_MS,
        `${container} has answered`,
        async () => (await find(container))?.running === 0,
      )
    },
    async remove(container) {
      const server = `servers/${container}`
      await command(`set server ${server} state maint`, `shutdown sessions server ${server}`)
      await until(DRAINED_WITHIN_MS, `${container} is out`, async () => {
        await command(`del server ${server}`).catch(() => {}) // Not while a connection to it is being closed.
        return (await find(container)) === undefined
      })
    },
    close: async () => void (await engine.docker('rm', '--force', '--volumes', name)),
  }
}

async function untilAnswers(engine: Engine, name: string): Promise<{ url: string; control: string }> {
  const published = async (port: number) =>
    (await engine.docker('port', name, `${port}/tcp`)).split('\n')[0] ?? ''
  const url = `http://${await published(HTTP_PORT)}`
  const control = await published(CONTROL_PORT)
  const answers = () => ask(control, 'show info').then(Boolean, () => false)
  await until(STARTED_WITHIN_MS, 'HAProxy answers', answers)
  return { url, control }
}

function configuration(ready: string): string {
  return `global
  stats socket ipv4@0.0.0.0:${CONTROL_PORT} level admin
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout check 5s
  retries 0
  option httpchk GET ${ready}
frontend requests
  bind :${HTTP_PORT}
  default_backend servers
backend servers
  balance roundrobin
`
}

/** What HAProxy says of a change that it made. */
const DONE = /^(New server registered\.|Server deleted\.)?$/

/** @throws Error when HAProxy refuses one of the commands */
async function change(address: string, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const said = await ask(address, command)
    if (!DONE.test(said)) throw new Error(`HAProxy, told \`${command}\`: ${said}`)
  }
}

/** One connection a command: where that ends, the answer does. */
async function ask(address: string, command: string): Promise<string> {
  const [host = '', port] = address.split(':')
  const socket = createConnection(Number(port), host)
  socket.write(`${command}\n`) // Not ended: HAProxy would hang up before it answers.
  return (await text(socket)).trim()
}

/** The CSV of `show stat`. */
function parseServers(csv: string): BalancedServer[] {
  const [header = '', ...lines] = csv.replace(/^# /, '').split('\n')
  const names = header.split(',')
  return lines.filter(Boolean).map((line) => {
    const values = line.split(',')
    const field = (name: string) => values[names.indexOf(name)] ?? ''
    const status = field('status')
    const state = status.startsWith('UP') ? 'up' : status.startsWith('DRAIN') ? 'draining' : 'down'
    return {
      container: field('svname'),
      state,
      // A star: it is being asked again.
      isReady: field('check_status').replace('* ', '').startsWith('L7OK'),
      running: Number(field('scur')),
      requests: Number(field('stot')),
    }
  })
}

async function until(withinMs: number, what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs / 1000} s: ${what}`)
    await sleep(100)
  }
}
