import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Payloads } from './payload.ts'

export interface Target {
  port: number
  path: string
}

export interface Load {
  seconds: number
  /** Arrivals a second, at random moments. Without it, each connection sends again as soon as it is answered. */
  rate?: number
}

export interface Result {
  /** Delivery ids that were answered 2xx. */
  accepted: string[]
  /** Other answers, by status. */
  refused: Map<number, number>
  /** From the first request to the last answer. */
  seconds: number
  /** Milliseconds from when each request was due to its answer, waiting for a connection included. */
  latencies: number[]
}

const CONNECTIONS = 64
const HEAD_END = Buffer.from('\r\n\r\n')

interface Request {
  deliveryId: string
  due: number
}

/**
 * Sends signed webhooks over keep-alive connections, each with an id and a body of its own. Written to
 * sockets by hand: what this costs is taken from the servers that share its processor.
 */
export async function generateLoad(target: Target, payloads: Payloads, load: Load): Promise<Result> {
  const result: Result = { accepted: [], refused: new Map(), seconds: 0, latencies: [] }
  const began = performance.now()
  const ends = began + load.seconds * 1000
  const due: number[] = []
  const idle: Connection[] = []

  const answered = (connection: Connection, status: number, { deliveryId, due }: Request) => {
    if (status >= 200 && status < 300) result.accepted.push(deliveryId)
    else result.refused.set(status, (result.refused.get(status) ?? 0) + 1)
    result.latencies.push(performance.now() - due)
    next(connection)
  }
  const next = (connection: Connection) => {
    if (load.rate === undefined) {
      if (performance.now() < ends) return connection.send(performance.now())
    } else if (due.length > 0) return connection.send(due.shift() ?? 0)
    idle.push(connection)
  }

  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => openConnection(target, payloads, answered)),
  )
  for (const connection of connections) next(connection)
  if (load.rate !== undefined) {
    await arrive(load.rate, ends, (at) => {
      due.push(at)
      const connection = idle.pop()
      if (connection) next(connection)
    })
  }
  while (idle.length < CONNECTIONS) {
    if (performance.now() > ends + 10_000) throw new Error('The last requests are not answered.')
    await sleep(5)
  }
  result.seconds = (performance.now() - began) / 1000
  for (const connection of connections) connection.close()
  return result
}

/** Poisson arrivals, gathered to whole milliseconds: a finer clock would have to spin. */
async function arrive(rate: number, ends: number, arrival: (at: number) => void): Promise<void> {
  let at = performance.now()
  while (at < ends) {
    at += (-Math.log(1 - Math.random()) / rate) * 1000
    const tick = Math.ceil(at)
    while (performance.now() < tick) await sleep(1)
    arrival(tick)
  }
}

interface Connection {
  send(due: number): void
  close(): void
}

async function openConnection(
  { port, path }: Target,
  payloads: Payloads,
  answered: (connection: Connection, status: number, request: Request) => void,
): Promise<Connection> {
  const socket: Socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  let request: Request | undefined
  let received = Buffer.alloc(0)

  const connection: Connection = {
    send(due) {
      const { rest, signature } = payloads.next()
      request = { deliveryId: randomUUID(), due }
      const head =
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: GitHub-Hookshot/0000000\r\n` +
        `Accept: */*\r\nContent-Type: application/json\r\nContent-Length: ${payloads.start.length + rest.length}\r\n` +
        `X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: ${request.deliveryId}\r\n` +
        `X-Hub-Signature-256: sha256=${signature}\r\n\r\n`
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(payloads.start)
      socket.write(rest)
      socket.uncork()
    },
    close: () => socket.destroy(),
  }
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    const status = completeAnswer(received)
    if (status === undefined || request === undefined) return
    received = Buffer.alloc(0)
    answered(connection, status, request)
  })
  socket.on('error', (error) => {
    throw error
  })
  return connection
}

/** The status of an answer that has arrived as a whole; undefined while it has not. */
function completeAnswer(received: Buffer): number | undefined {
  const end = received.indexOf(HEAD_END)
  if (end < 0) return undefined
  const head = received.toString('latin1', 0, end)
  const length = /^content-length: (\d+)\r?$/im.exec(head)?.[1]
  if (length === undefined) throw new Error(`An answer without Content-Length:\n${head}`)
  if (received.length < end + HEAD_END.length + Number(length)) return undefined
  return Number(head.slice(9, 12))
}
