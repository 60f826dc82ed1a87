import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { KodusError, messageOf } from '../lib/errors.ts'
import { answerError, send } from './answer.ts'
import { handlerBusy } from './read-body.ts'

/** A request may take this long to arrive: GitHub itself gives up after 10 s. */
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 10_000

/** Longer than the idle time of the load balancers in front (60 s), so that it is they who close. */
const KEEP_ALIVE_MS = 65_000

/** Connections that are served. A load balancer needs about one for each webhook in hand; an idle one costs some 10 kB. */
const MAX_CONNECTIONS = 4_096

/** As many more are told to come back later; beyond those, they are closed without a word. */
const MAX_SENT_AWAY = 1_024

/** On stop, requests still arriving after this are cut off. */
const GRACE_MS = 5_000

export interface Listening {
  port: number
  /** Takes no more connections; resolves when every request has its answer, or its time is up. */
  close(): Promise<void>
}

/** @throws KodusError LISTEN_FAILED, most often because the port is taken */
export async function listen(
  listener: RequestListener,
  {
    port,
    host,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    maxConnections = MAX_CONNECTIONS,
  }: { port: number; host?: string | undefined; requestTimeoutMs?: number; maxConnections?: number },
): Promise<Listening> {
  const server = createServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
    connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs / 2),
    keepAliveTimeout: KEEP_ALIVE_MS,
  })
  server.maxConnections = maxConnections + MAX_SENT_AWAY
  const surplus = watchSurplus(server, maxConnections)
  const serve: RequestListener = (request, response) => {
    if (surplus.has(request.socket)) send(request, response, answerError(handlerBusy()), { close: true })
    else listener(request, response)
  }
  server.on('request', serve)
  // Without this, Node would ask for a body before anybody looked at its headers.
  server.on('checkContinue', serve)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenFailed(cause, port)))
    server.listen({ port, host }, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        const cutOff = setTimeout(() => server.closeAllConnections(), GRACE_MS)
        server.close(() => {
          clearTimeout(cutOff)
          resolve()
        })
        server.closeIdleConnections()
      }),
  }
}

/** The connections that were made while as many as are served were there. */
function watchSurplus(server: Server, served: number): WeakSet<Socket> {
  const surplus = new WeakSet<Socket>()
  let open = 0
  server.on('connection', (socket) => {
    open += 1
    socket.once('close', () => (open -= 1))
    if (open > served) surplus.add(socket)
  })
  return surplus
}

function listenFailed(cause: unknown, port: number): KodusError {
  return new KodusError('LISTEN_FAILED', `Port ${port} cannot be used: ${messageOf(cause)}`, {
    help: 'Stop what listens there, or set WEBHOOK_PORT to another port.',
    cause,
  })
}
