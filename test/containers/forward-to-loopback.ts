import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/**
 * Lets containers reach a server of this machine that listens on the loopback, which is another one inside a container.
 *
 * @param gateway this machine's address in their network
 * @returns its origin, as they name it
 */
export async function forwardToLoopback(
  gateway: string,
  port: number,
): Promise<{ origin: string; close(): void }> {
  const forwarder = createServer((from) => {
    const to = connect({ host: '127.0.0.1', port })
    from.on('error', () => to.destroy())
    to.on('error', () => from.destroy())
    from.pipe(to).pipe(from)
  })
  forwarder.listen(0, gateway)
  await once(forwarder, 'listening')
  return {
    origin: `http://${gateway}:${(forwarder.address() as AddressInfo).port}`,
    close: () => void forwarder.close(),
  }
}
