import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { installRedis } from './install-redis.ts'
import type { Bench } from './servers.ts'

const READY_WITHIN_MS = 10_000

/**
 * Starts a Redis that has every write on disk before it answers, with a port and a directory of its own.
 *
 * @throws Error when it is not installed, and cannot be
 */
export async function startRedis({ directory, onEnd }: Bench): Promise<{ url: string; version: string }> {
  const { program, libraries } = installRedis()
  const env = libraries ? { ...process.env, LD_LIBRARY_PATH: libraries } : process.env
  const port = await freePort()
  const data = path.join(directory, 'redis')
  mkdirSync(data)
  const settings = { port, bind: '127.0.0.1', dir: data, appendonly: 'yes', appendfsync: 'always', save: '' }
  const log = openSync(path.join(directory, 'redis.log'), 'a')
  const server = spawn(
    program,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { env, stdio: ['ignore', log, log] },
  )
  closeSync(log)
  const exited = once(server, 'exit')
  onEnd('Redis', async () => {
    server.kill('SIGTERM')
    await exited
  })
  const deadline = Date.now() + READY_WITHIN_MS
  while (!(await answers(port))) {
    if (server.exitCode !== null || Date.now() > deadline) throw new Error('Redis did not start')
    await sleep(50)
  }
  const version = /v=(\S+)/.exec(spawnSync(program, ['--version'], { env, encoding: 'utf8' }).stdout)?.[1]
  return { url: `redis://127.0.0.1:${port}`, version: version ?? 'unknown' }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => socket.write('PING\r\n'))
    socket.on('data', (data) => {
      socket.destroy()
      resolve(data.toString().startsWith('+PONG'))
    })
    socket.on('error', () => resolve(false))
  })
}
