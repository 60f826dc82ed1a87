import { randomBytes } from 'node:crypto'
import { Agent, type IncomingMessage, type RequestOptions, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { gitWebhook } from '../support/git-webhook.ts'

/** As long as GitHub does. */
const SENDER_WAITS_MS = 10_000

export interface Receiver {
  port: string
  secret: string
}

/** A signed `git` webhook. Rejects when the connection fails: Node sends nothing twice by itself. */
export async function sendWebhook(
  { port, secret }: Receiver,
  change: object,
  connection: Pick<RequestOptions, 'agent' | 'createConnection'> = { agent: false },
): Promise<{ status: number; jobId: string }> {
  const { body, headers } = gitWebhook(change, secret)
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const signal = AbortSignal.timeout(SENDER_WAITS_MS)
    const options = {
      host: '127.0.0.1',
      port,
      path: '/webhooks/git',
      method: 'POST',
      headers,
      signal,
      ...connection,
    }
    request(options, resolve).on('error', reject).end(body)
  })
  const { jobId } = JSON.parse(await text(response)) as { jobId: string }
  return { status: response.statusCode ?? 0, jobId }
}

export interface Load {
  /** What was answered as it should be: of webhooks, their jobs. */
  accepted: string[]
  /** What was not. */
  failed: string[]
  stop(): Promise<void>
}

/**
 * Webhooks without a break: over connections that are kept, some always busy and some with pauses, and over new
 * ones. Each is a change that nobody has asked about before.
 */
export function sendWithoutBreak(receiver: Receiver): Load {
  return withoutBreak(202, async (agent) => {
    const change = {
      repository: 'https://git.example/team/shop.git',
      base: 'main',
      head: randomBytes(20).toString('hex'),
    }
    const { status, jobId } = await sendWebhook(receiver, change, { agent })
    return { status, id: jobId }
  })
}

/** The same for reads of the API. */
export function readWithoutBreak(port: string, path: string): Load {
  return withoutBreak(200, async (agent) => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const signal = AbortSignal.timeout(SENDER_WAITS_MS)
      request({ host: '127.0.0.1', port, path, signal, agent }, resolve).on('error', reject).end()
    })
    await text(response)
    return { status: response.statusCode ?? 0, id: '' }
  })
}

function withoutBreak(
  expected: number,
  ask: (agent: Agent | false) => Promise<{ status: number; id: string }>,
): Load {
  const accepted: string[] = []
  const failed: string[] = []
  let stopped = false
  const sender = async ({ kept, pauseMs }: { kept: boolean; pauseMs: number }) => {
    const agent = kept && new Agent({ keepAlive: true, maxSockets: 1 })
    while (!stopped) {
      try {
        const { status, id } = await ask(agent)
        if (status === expected) accepted.push(id)
        else failed.push(`answered ${status}`)
      } catch (error) {
        failed.push(String(error))
      }
      await sleep(pauseMs)
    }
    if (agent) agent.destroy()
  }
  const senders = [
    ...Array.from({ length: 2 }, () => sender({ kept: true, pauseMs: 0 })),
    ...Array.from({ length: 6 }, () => sender({ kept: true, pauseMs: 20 })),
    ...Array.from({ length: 4 }, () => sender({ kept: false, pauseMs: 10 })),
  ]
  return {
    accepted,
    failed,
    async stop() {
      stopped = true
      await Promise.all(senders)
    },
  }
}
