import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { serveSmartHttp } from '../git/smart-http-server.ts'

/**
 * Serves the repositories of a directory by git's HTTP protocol to containers.
 *
 * @param gateway this machine's address in their network: the server listens on the loopback, which is another inside
 * @returns its origin, as they name it
 */
export async function serveRepositories(t: TestContext, root: string, gateway: string): Promise<string> {
  const { port } = new URL(await serveSmartHttp(t, { root }))
  const forwarder = createServer((from) => {
    const to = connect({ host: '127.0.0.1', port: Number(port) })
    from.on('error', () => to.destroy())
    to.on('error', () => from.destroy())
    from.pipe(to).pipe(from)
  })
  forwarder.listen(0, gateway)
  await once(forwarder, 'listening')
  t.after(() => forwarder.close())
  return `http://${gateway}:${(forwarder.address() as AddressInfo).port}`
}
