import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEnv } from 'node:util'
import { freePort } from '../../src/cli/stack/free-port.ts'
import { gitWebhook } from '../support/git-webhook.ts'
import type { LogLine } from '../support/processes.ts'

/** What `kodus up` says when all of it runs. */
export interface StackLine extends LogLine {
  components: Record<'webhook' | 'api' | 'worker', { url?: string; pid: number }>
  database: { pid: number; where: string }
  directory: string
}

export interface UpOptions {
  directory?: string
  /** Of the checkout to start; this one, unless a test is about another. */
  checkout?: string
  /** Instead of ports that are free. */
  ports?: Record<string, string>
  env?: Record<string, string>
}

/** `kodus up` in a data directory of its own. */
export async function startUp(t: TestContext, { directory, checkout, ports, env }: UpOptions = {}) {
  const data = directory ?? mkdtempSync(path.join(tmpdir(), 'kodus-up-'))
  chmodSync(data, 0o755)
  const { PATH = '', HOME = '' } = process.env
  const free = async () => ({ WEBHOOK_PORT: String(await freePort()), API_PORT: String(await freePort()) })
  const child = spawn(process.execPath, ['src/cli/main.ts', 'up'], {
    cwd: checkout,
    env: {
      PATH,
      HOME,
      ...(checkout ? {} : { KODUS_DIRECTORY: data }),
      ...(ports ?? (await free())),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = once(child, 'exit')
  const lines: LogLine[] = []
  const reader = createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)))
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
    await exited
    reader.close()
    rmSync(data, { recursive: true, force: true })
  })
  const line = async (matches: (line: LogLine) => boolean): Promise<LogLine> => {
    for (;;) {
      const found = lines.find(matches)
      if (found) return found
      if (child.exitCode !== null) throw new Error(`kodus up ended: ${JSON.stringify(lines.slice(-5))}`)
      await sleep(50)
    }
  }
  const up = (await line(({ msg }) => msg === 'the stack is up')) as StackLine
  const settings = () => parseEnv(readFileSync(path.join(up.directory, 'env'), 'utf8'))
  return { child, exited, directory: data, lines, line, up, settings }
}

export type Up = Awaited<ReturnType<typeof startUp>>

/** Sends a signed `git` webhook; the same delivery for the same id. */
export async function send({ up, settings }: Up, request: object, id: string = randomUUID()) {
  const response = await fetch(`${up.components.webhook.url}/webhooks/git`, {
    method: 'POST',
    ...gitWebhook(request, settings().GIT_WEBHOOK_SECRET ?? '', id),
  })
  const answer = (await response.json()) as { jobId: string; code?: string }
  return { ...answer, status: response.status, retryAfter: response.headers.get('retry-after') }
}

export async function ask<Answer>({ up, settings }: Up, address: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${settings().KODUS_API_KEY}` }
  const response = await fetch(`${up.components.api.url}${address}`, { headers })
  assert.equal(response.status, 200)
  return (await response.json()) as Answer
}

/** A review that fails, when it comes to that: there is no such server. */
export const REQUEST = { repository: 'https://git.example/team/shop.git', base: 'main', head: 'a'.repeat(40) }

export function isAlive(pid: number): boolean {
  try {
    return pid > 1 && process.kill(pid, 0)
  } catch {
    return false
  }
}
