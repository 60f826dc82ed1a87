import type { TestContext } from 'node:test'
import { forwardToLoopback } from '../containers/forward-to-loopback.ts'
import { serveSmartHttp } from '../git/smart-http-server.ts'

/**
 * Serves the repositories of a directory by git's HTTP protocol to containers.
 *
 * @param gateway this machine's address in their network
 * @returns its origin, as they name it
 */
export async function serveRepositories(t: TestContext, root: string, gateway: string): Promise<string> {
  const { port } = new URL(await serveSmartHttp(t, { root }))
  const { origin, close } = await forwardToLoopback(gateway, Number(port))
  t.after(close)
  return origin
}
