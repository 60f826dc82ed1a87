import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Random } from './random.ts'
import type { Scope } from './scope.ts'

/** One delivery, whatever became of it. */
export interface Sent {
  guid: string
  event: string
  /** Of its body: deliveries with the same are one, whatever their ids. */
  digest: string
  /** Answers with 202, as the handlers gave them. */
  accepted: Acceptance[]
  refused: number
}

export interface Acceptance {
  jobId?: string
  status?: string | null
  duplicate?: boolean
  ignored?: string
  updated?: string
}

/** What carries webhooks from the forge to the handlers, as a network does: late, twice, in another order. */
export interface Courier {
  /** Where the forge sends its webhooks. */
  url: string
  sent: ReadonlyMap<string, Sent>
  /** Attempts so far, answers other than 202 and 503 among them, and how long 202s and 503s took. */
  stats: CourierStats
  /** From now on everything that comes is sent at once and once, and what failed is tried again soon. */
  calm(): void
  /** How many deliveries have no 202 yet. */
  open(): number
}

export interface CourierStats {
  attempts: number
  accepted: number
  unavailable: number
  unreachable: number
  bad: string[]
  /** Milliseconds of each answer, of whatever kind. */
  slowestMs: number
}

interface Parcel {
  sent: Sent
  headers: Record<string, string>
  body: Buffer
  attempts: number
}

/** GitHub waits as long for an answer. */
const TIMEOUT_MS = 10_000
const MAX_IN_FLIGHT = 64
/** GitHub itself tries once; the sweep has it try again. */
const FIRST_RESEND_MS = 1_000
const LAST_RESEND_MS = 15_000

/** How often what happens to a delivery. */
const LATE = 0.25
const TWICE = 0.03
const TWICE_LATE = 0.02
const REPLAYED = 0.03
const LATEST_MS = 4_000
const MUCH_LATER_MS = 30_000

export async function startCourier(
  scope: Scope,
  handlers: readonly string[],
  random: Random,
): Promise<Courier> {
  const sent = new Map<string, Sent>()
  const stats: CourierStats = {
    attempts: 0,
    accepted: 0,
    unavailable: 0,
    unreachable: 0,
    bad: [],
    slowestMs: 0,
  }
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT })
  const waiting: Parcel[] = []
  let inFlight = 0
  let isCalm = false
  let unanswered = 0

  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    response.writeHead(200).end()
    accept(headersOf(request.headers), body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  scope.after(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })

  function accept(headers: Record<string, string>, body: Buffer): void {
    const parcel = prepare(headers, body)
    if (isCalm) {
      enqueue(parcel)
      return
    }
    later(parcel, random.chance(LATE) ? random.whole(0, LATEST_MS) : 0)
    if (random.chance(TWICE)) later(copyOf(parcel), random.whole(0, 50))
    if (random.chance(TWICE_LATE)) later(copyOf(parcel), random.whole(1_000, MUCH_LATER_MS))
    if (random.chance(REPLAYED)) {
      const captured = { ...headers, 'x-github-delivery': randomUUID() }
      later(prepare(captured, body), random.whole(0, MUCH_LATER_MS))
    }
  }

  function prepare(headers: Record<string, string>, body: Buffer): Parcel {
    const guid = headers['x-github-delivery'] ?? ''
    const event = headers['x-github-event'] ?? ''
    const digest = createHash('sha256').update(body).digest('hex')
    const entry: Sent = { guid, event, digest, accepted: [], refused: 0 }
    sent.set(guid, entry)
    unanswered += 1
    return { sent: entry, headers, body, attempts: 0 }
  }

  const copyOf = (parcel: Parcel): Parcel => ({ ...parcel, attempts: 0 })

  function later(parcel: Parcel, ms: number): void {
    setTimeout(enqueue, isCalm ? Math.min(ms, FIRST_RESEND_MS) : ms, parcel)
  }

  function enqueue(parcel: Parcel): void {
    waiting.push(parcel)
    pump()
  }

  function pump(): void {
    while (inFlight < MAX_IN_FLIGHT && waiting.length > 0) {
      const parcel = waiting.shift()
      if (!parcel) return
      inFlight += 1
      void post(parcel).finally(() => {
        inFlight -= 1
        pump()
      })
    }
  }

  async function post(parcel: Parcel): Promise<void> {
    stats.attempts += 1
    parcel.attempts += 1
    const began = performance.now()
    const answer = await send(random.pick(handlers), parcel)
    if (answer) stats.slowestMs = Math.max(stats.slowestMs, Math.round(performance.now() - began))
    if (answer?.status === 202) {
      stats.accepted += 1
      if (parcel.sent.accepted.length === 0) unanswered -= 1
      parcel.sent.accepted.push(JSON.parse(answer.body))
      return
    }
    parcel.sent.refused += 1
    if (!answer) stats.unreachable += 1
    else if (answer.status === 503) stats.unavailable += 1
    else
      stats.bad.push(
        `${answer.status} to ${parcel.sent.event} ${parcel.sent.guid}: ${answer.body.slice(0, 200)}`,
      )
    later(parcel, Math.min(FIRST_RESEND_MS * 2 ** (parcel.attempts - 1), isCalm ? 2_000 : LAST_RESEND_MS))
  }

  function send(handler: string, parcel: Parcel): Promise<{ status: number; body: string } | undefined> {
    return new Promise((resolve) => {
      const { headers, body } = parcel
      const options = { method: 'POST', agent, headers: { ...headers, 'content-length': body.length } }
      const outgoing = httpRequest(handler, options, async (response) => {
        const text = await buffer(response).catch(() => undefined)
        resolve(text && { status: response.statusCode ?? 0, body: text.toString() })
      })
      const timer = setTimeout(() => outgoing.destroy(new Error('timed out')), TIMEOUT_MS)
      outgoing.on('error', () => resolve(undefined))
      outgoing.on('close', () => clearTimeout(timer))
      outgoing.end(body)
    })
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sent,
    stats,
    calm: () => (isCalm = true),
    open: () => unanswered,
  }
}

/** Those that the forge means, without those of this one connection. */
function headersOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && /^(x-|content-type$|user-agent$)/.test(entry[0]),
    ),
  )
}
