import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Actor, authenticate } from './authenticate.ts'
import { authorize } from './authorize.ts'
import { Refusal } from './refusal.ts'
import type { World } from './world.ts'

/** What `GitHub.git` tells. */
export interface GitTraffic {
  fetches: number
  bytesSent: number
}

/**
 * Lets git in or turns it away, as GitHub does: 401 without credentials that it knows, 404 for what they do not
 * reach, 403 for an App that may not read contents.
 *
 * @returns who it is, when it may go on
 */
export function admitGit(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
): Actor | undefined {
  const { pathname } = new URL(request.url ?? '/', 'http://host')
  const [, owner = '', name = ''] = /^\/([^/]+)\/([^/]+)\.git\//.exec(pathname) ?? []
  try {
    const actor = authenticate(world, request.headers.authorization)
    const repository = world.state.findRepository(owner, name)
    if (!repository) throw new Refusal(404, 'Repository not found.')
    authorize(actor, repository, { app: ['contents=read'], level: 'read' })
    return actor
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    // To somebody unknown it does not say whether there is such a repository.
    const unknown = error.status === 401 || request.headers.authorization === undefined
    response.writeHead(unknown ? 401 : error.status, {
      'content-type': 'text/plain',
      ...(unknown && { 'www-authenticate': 'Basic realm="GitHub"' }),
    })
    response.end(unknown ? 'Invalid username or token.' : error.message)
    return undefined
  }
}

/** Counts what goes out over a connection until the answer is complete. */
export function countTraffic(traffic: GitTraffic, request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') traffic.fetches += 1
  const { socket } = request
  const before = socket.bytesWritten
  response.on('close', () => {
    traffic.bytesSent += socket.bytesWritten - before
  })
}

export function isGit(url: string): boolean {
  return /^\/[^/]+\/[^/]+\.git\/(info\/refs|git-upload-pack)(\?|$)/.test(url)
}
