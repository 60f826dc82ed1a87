import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A network that can be made to fail. */
export interface TcpProxy {
  port: number
  /** The same URL by way of the proxy. */
  through(url: string): string
  /** Resets every connection, and each new one at once: nothing listens there any more. */
  cut(): void
  /** Packets are lost: connections stay open, new ones open too, and not a byte arrives on either side. */
  blackhole(): void
  /** All well again; what was held back by a black hole or a delay arrives, as TCP would retransmit it. */
  restore(): void
  /** Every chunk arrives this much later, in both directions, in order. */
  delay(ms: number): void
}

/** Forwards to `target` from a port of its own on 127.0.0.1; gone after the test. */
export async function startTcpProxy(
  t: TestContext,
  target: { host: string; port: number },
): Promise<TcpProxy> {
  let state: 'open' | 'cut' | 'blackhole' = 'open'
  let delayMs = 0
  const links = new Set<Link>()

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    if (state === 'cut') {
      client.resetAndDestroy()
      return
    }
    const link = join(client, connect({ ...target, noDelay: true, allowHalfOpen: true }), () => delayMs)
    links.add(link)
    client.once('close', () => links.delete(link))
    if (state === 'blackhole') link.hold()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  t.after(() => {
    for (const link of links) link.reset()
    server.close()
  })
  return {
    port: address.port,
    through(url) {
      const rerouted = new URL(url)
      rerouted.hostname = '127.0.0.1'
      rerouted.port = String(address.port)
      return rerouted.href
    },
    cut() {
      state = 'cut'
      for (const link of links) link.reset()
    },
    blackhole() {
      state = 'blackhole'
      for (const link of links) link.hold()
    },
    restore() {
      state = 'open'
      delayMs = 0
      for (const link of links) link.release()
    },
    delay(ms) {
      delayMs = ms
    },
  }
}

interface Link {
  hold(): void
  release(): void
  reset(): void
}

function join(client: Socket, upstream: Socket, delayMs: () => number): Link {
  const directions = [pump(client, upstream, delayMs), pump(upstream, client, delayMs)]
  const reset = () => {
    client.resetAndDestroy()
    upstream.resetAndDestroy()
  }
  for (const socket of [client, upstream]) {
    socket.on('error', reset)
    socket.on('close', (hadError) => hadError && reset())
  }
  return {
    hold() {
      for (const direction of directions) direction.hold()
    },
    release() {
      for (const direction of directions) direction.release()
    },
    reset,
  }
}

/** One direction: chunks, and at last the end, wait in a line for their moment. */
function pump(from: Socket, to: Socket, delayMs: () => number) {
  const line: { at: number; deliver: () => void }[] = []
  let held = false
  let timer: NodeJS.Timeout | undefined

  const flush = () => {
    clearTimeout(timer)
    while (!held && line[0] && line[0].at <= performance.now()) line.shift()?.deliver()
    if (!held && line[0]) timer = setTimeout(flush, line[0].at - performance.now())
  }
  const enqueue = (deliver: () => void) => {
    line.push({ at: performance.now() + delayMs(), deliver })
    flush()
  }
  from.on('data', (chunk) => enqueue(() => to.write(chunk)))
  from.on('end', () => enqueue(() => to.end()))
  return {
    hold() {
      held = true
    },
    release() {
      held = false
      for (const item of line) item.at = 0
      flush()
    },
  }
}
