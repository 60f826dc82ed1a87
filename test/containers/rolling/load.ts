import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Webhook } from './webhooks.ts'

/** Where it goes: URLs without a path. */
export interface Addresses {
  webhooks: string
  api: string
  apiKey: string
}

/** One request that was sent once, and what became of it. */
export interface Request {
  to: 'webhook-handler' | 'api-rest'
  /** Milliseconds on the clock of `performance.now()`: when it was to be sent. */
  due: number
  /** From then to the end of its answer. */
  ms: number
  /** Why it failed: the answer's status, or what happened to the connection. Absent: it was answered 2xx. */
  failure?: string
  webhook?: Webhook
  jobId?: string
}

export interface Load {
  /** Everything that has been answered, or has failed. */
  ledger: readonly Request[]
  /** Sends a webhook at once, beside the others; it is in the ledger too. */
  send(webhook: Webhook): Promise<Request>
  /** Resolves when all that was sent before is answered, or has failed. */
  answered(): Promise<void>
  /** Resolves when nothing is on its way any more. */
  stop(): Promise<void>
}

/** How many of each a second. */
export interface Rates {
  webhooks: number
  reads: number
}

/** As long as GitHub waits for an answer. */
const SENDER_WAITS_MS = 10_000
/** Every so many webhooks, the same delivery is sent a second time, as forges do. */
const REDELIVER_EVERY = 6

/**
 * Requests at a constant rate, whatever becomes of them: half over connections that are kept, half over new ones.
 * Nothing is sent again because it failed.
 */
export function startLoad(addresses: Addresses, rates: Rates, nextWebhook: () => Webhook): Load {
  const ledger: Request[] = []
  const underWay = new Set<Promise<unknown>>()
  const kept = new Agent({ keepAlive: true, maxSockets: 16 })
  let going = true
  let sent = 0

  const track = <T>(promise: Promise<T>): Promise<T> => {
    underWay.add(promise)
    void promise.finally(() => underWay.delete(promise))
    return promise
  }
  const note = async (entry: Request, answer: Promise<Answer>): Promise<Request> => {
    const { status, body } = await answer.catch((error: Error) => ({ status: error.message, body: '' }))
    entry.ms = performance.now() - entry.due
    if (typeof status !== 'number' || status < 200 || status > 299) entry.failure = `${status} ${body}`.trim()
    else if (entry.webhook) {
      const { jobId } = JSON.parse(body) as { jobId?: string }
      if (jobId) entry.jobId = jobId
    }
    ledger.push(entry)
    return entry
  }
  const agent = () => (sent++ % 2 === 0 ? kept : false)
  const deliver = (webhook: Webhook, due: number) => {
    const { path, headers, body } = webhook
    const answer = ask(addresses.webhooks + path, { method: 'POST', headers, agent: agent() }, body)
    return track(note({ to: 'webhook-handler', due, ms: 0, webhook }, answer))
  }
  const read = (due: number) => {
    const known = ledger.findLast(({ jobId }) => jobId)?.jobId
    const path = known && sent % 3 > 0 ? `/jobs/${known}` : '/jobs?limit=20'
    const headers = { authorization: `Bearer ${addresses.apiKey}` }
    void track(note({ to: 'api-rest', due, ms: 0 }, ask(addresses.api + path, { headers, agent: agent() })))
  }

  let webhooks = 0
  let latest: Webhook | undefined
  const loops = [
    repeatAt(rates.webhooks, (due) => {
      const again = ++webhooks % REDELIVER_EVERY === 0
      latest = again && latest ? latest : nextWebhook()
      void deliver(latest, due)
    }),
    repeatAt(rates.reads, read),
  ]

  async function repeatAt(rate: number, act: (due: number) => void): Promise<void> {
    for (let due = performance.now(); going; due += 1000 / rate) {
      await sleep(Math.max(0, due - performance.now()))
      act(due)
    }
  }

  return {
    ledger,
    send: (webhook) => deliver(webhook, performance.now()),
    answered: async () => void (await Promise.allSettled(underWay)),
    async stop() {
      going = false
      await Promise.all(loops)
      while (underWay.size > 0) await Promise.allSettled(underWay)
      kept.destroy()
    },
  }
}

interface Answer {
  status: number
  body: string
}

interface Asked {
  method?: string
  headers: Record<string, string>
  agent: Agent | false
}

function ask(url: string, asked: Asked, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(SENDER_WAITS_MS)
    request(url, { ...asked, signal }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
      .on('error', reject)
      .end(body)
  })
}
