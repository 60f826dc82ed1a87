import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../src/cli/stack/free-port.ts'
import type { Engine } from '../containers/engine.ts'
import { findPythonTool } from '../ecs-definitions/python-tool.ts'

/** What it does of AWS was read in this version: see services.ts. */
const MINISTACK = ['ministack', '1.5.33'] as const
/** Docker's client for Python, which it uses where it is. */
const DOCKER_CLIENT = ['docker', '7.2.0'] as const
const SERVICES = 'ecs,ecr,elbv2,secretsmanager,ssm,logs'
const READY_WITHIN_MS = 60_000
const ENDED_WITHIN_MS = 60_000

/** @returns its directories for Python, and for a test's `skip` why it cannot be had, or false */
export function findMiniStack(): { places: string[]; skip: string | false } {
  const found = [findPythonTool(...MINISTACK), findPythonTool(...DOCKER_CLIENT)]
  return { places: found.map(({ place }) => place), skip: found.find(({ skip }) => skip)?.skip ?? false }
}

export interface MiniStack {
  /** Where all of AWS is, as `http://127.0.0.1:4566`. */
  endpoint: string
  /** The same as images name it: its registry is there too, and engines trust one on the loopback. */
  registry: string
  /** What it has logged so far. */
  log(): string
  /** Ends it, and removes its containers and what was pulled from it. */
  close(): Promise<void>
}

/** Starts MiniStack, which runs tasks on an engine. It ends with this process, however that ends. */
export async function startMiniStack(engine: Engine, places: readonly string[]): Promise<MiniStack> {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-ministack-'))
  const temporary = path.join(directory, 'tmp')
  mkdirSync(temporary)
  const port = await freePort()
  const registry = `127.0.0.1:${port}`
  const logFile = path.join(directory, 'log')
  const log = openSync(logFile, 'w')
  const child = spawn('setpriv', ['--pdeathsig', 'SIGTERM', 'python3', '-m', 'ministack'], {
    env: {
      PATH: process.env.PATH,
      PYTHONPATH: places.join(':'),
      // Its client knows no contexts.
      DOCKER_HOST: await engine.docker('context', 'inspect', '--format={{.Endpoints.docker.Host}}'),
      HOME: directory,
      TMPDIR: temporary,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      SERVICES,
      IOT_MTLS_ENABLED: 'false',
      SFTP_ENABLED: 'false',
      // Slower than any call is here while images are built.
      MINISTACK_DOCKER_TIMEOUT: '60',
    },
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  const exited = once(child, 'exit')
  const readLog = () => readFileSync(logFile, 'utf8')

  const close = async () => {
    child.kill('SIGTERM')
    const limit = setTimeout(() => child.kill('SIGKILL'), ENDED_WITHIN_MS)
    await exited
    clearTimeout(limit)
    await removeContainers(engine, port)
    await removeImages(engine, registry)
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const ended = exited.then(([code]) => Promise.reject(new Error(`it ended with ${code}`)))
    await Promise.race([answers(`http://${registry}/_ministack/health`), ended])
  } catch (error) {
    const said = readLog().split('\n').slice(-20).join('\n')
    await close()
    throw new Error(`MiniStack did not start:\n${said}`, { cause: error })
  }
  return { endpoint: `http://${registry}`, registry, log: readLog, close }
}

async function answers(url: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return
    if (Date.now() > deadline) throw new Error('it took too long')
    await sleep(200)
  }
}

/** It takes them away itself when it has the time to. */
async function removeContainers(engine: Engine, port: number): Promise<void> {
  const ours = ['ps', '--all', '--quiet', '--filter', 'label=ministack=ecs']
  const found = (await engine.docker(...ours, '--format={{.ID}} {{.Label "ministack.instance"}}'))
    .split('\n')
    .filter((line) => line.endsWith(`:${port}`))
    .map((line) => line.split(' ')[0] ?? '')
  if (found.length > 0) await engine.docker('rm', '--force', '--volumes', ...found)
}

/** One that is being pushed has a tag; one that was pulled has none. */
async function removeImages(engine: Engine, registry: string): Promise<void> {
  const list = ['image', 'ls', '--digests', '--format={{.Repository}} {{.Tag}} {{.Digest}}']
  const found = (await engine.docker(...list))
    .split('\n')
    .filter((line) => line.startsWith(`${registry}/`))
    .map((line) => line.split(' '))
    .map(([name, tag, digest]) => (tag === '<none>' ? `${name}@${digest}` : `${name}:${tag}`))
  if (found.length > 0) await engine.docker('image', 'rm', '--force', ...found)
}
