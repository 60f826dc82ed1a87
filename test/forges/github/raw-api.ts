import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { Certificates } from '../../support/certificates.ts'

/** One answer, down to the socket. */
export type Reply = (response: ServerResponse, request: RawRequest) => void

export interface RawRequest {
  method: string
  /** Path and query. */
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** An HTTP server that does exactly what it is told: for what a well-behaved GitHub never does. */
export interface RawApi {
  url: string
  requests: RawRequest[]
  /** What it does at `GET /path`, one reply a request, the last one for all that follow. */
  on(route: string, ...replies: [Reply, ...Reply[]]): void
  /** How often it was asked there. */
  count(route: string): number
}

/** On a port of its own; what nobody scripted is GitHub's 404. */
export async function startRawApi(t: TestContext, tls?: Certificates): Promise<RawApi> {
  const requests: RawRequest[] = []
  const scripts = new Map<string, [Reply, ...Reply[]]>()
  const listener: RequestListener = async (incoming, response) => {
    const { method = '', url: path = '', headers } = incoming
    const request = { method, path, headers, body: await text(incoming) }
    requests.push(request)
    const route = `${method} ${path}`
    const [reply, ...rest] = scripts.get(route) ?? [json(404, { message: 'Not Found' })]
    if (rest[0]) scripts.set(route, [rest[0], ...rest.slice(1)])
    reply(response, request)
  }
  const server = tls
    ? createTlsServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) }, listener)
    : createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    on: (route, ...replies) => void scripts.set(route, replies),
    count: (route) => requests.filter(({ method, path }) => `${method} ${path}` === route).length,
  }
}

export function json(status: number, body: unknown, headers: Record<string, string | number> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    response.end(JSON.stringify(body))
  }
}

export function page(status: number, html: string, headers: Record<string, string> = {}): Reply {
  return (response) => {
    response.writeHead(status, { 'content-type': 'text/html', ...headers })
    response.end(html)
  }
}

export const empty =
  (status: number, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(status, headers)
    response.end()
  }

export const reset: Reply = (response) => response.socket?.resetAndDestroy()

/** Announces more than it sends. */
export const truncated: Reply = (response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
  response.write('{"id": 1, "na', () => response.socket?.destroy())
}

export const silent: Reply = () => {}
