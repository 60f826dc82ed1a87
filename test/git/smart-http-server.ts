import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createGunzip } from 'node:zlib'

export interface SmartHttpOptions {
  /** Directory whose repositories are served. */
  root: string
  /** `user:password`; without it everyone may read. */
  basicAuth?: string
  /** Only git's first protocol, as an old server: it asks the repository's configuration what may be wanted. */
  firstProtocol?: boolean
  /** Serves by https, with this certificate and key, in PEM. */
  tls?: { cert: Buffer; key: Buffer }
  /** Told of every part of an answer. */
  onSent?: (bytes: number) => void
  /** Looks at each request first; true when it has answered it. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => Promise<boolean> | boolean
}

/** Serves repositories by git's smart HTTP protocol, with the real `git upload-pack`. @returns its origin */
export async function serveSmartHttp(t: TestContext, options: SmartHttpOptions): Promise<string> {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, options).catch((error) => response.destroy(error))
  }
  const server = options.tls ? createSecureServer(options.tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function answer(request: IncomingMessage, response: ServerResponse, options: SmartHttpOptions) {
  if (await options.intercept?.(request, response)) return
  const { basicAuth } = options
  if (basicAuth && request.headers.authorization !== `Basic ${Buffer.from(basicAuth).toString('base64')}`) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
    return
  }
  const { pathname } = new URL(request.url ?? '', 'http://host')
  const [, name, action] = /^\/(.+?)\/(info\/refs|git-upload-pack)$/.exec(pathname) ?? []
  if (!name) {
    response.writeHead(404).end()
    return
  }
  const advertise = action === 'info/refs'
  const kind = advertise ? 'advertisement' : 'result'
  response.writeHead(200, { 'content-type': `application/x-git-upload-pack-${kind}` })
  if (advertise) response.write('001e# service=git-upload-pack\n0000')
  const args = [
    'upload-pack',
    '--stateless-rpc',
    ...(advertise ? ['--advertise-refs'] : []),
    join(options.root, name),
  ]
  const uploadPack = spawn('git', args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: process.env.PATH,
      GIT_PROTOCOL: options.firstProtocol ? '' : String(request.headers['git-protocol'] ?? ''),
    },
  })
  response.on('close', () => uploadPack.kill())
  uploadPack.stdin.on('error', () => {})
  const body = request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
  body.pipe(uploadPack.stdin)
  uploadPack.stdout.on('data', (chunk: Buffer) => options.onSent?.(chunk.length))
  uploadPack.stdout.pipe(response)
}
