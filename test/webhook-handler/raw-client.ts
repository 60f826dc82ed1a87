import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A client that sends what it is told, byte for byte, and reads nothing before it is asked to. */
export interface RawClient {
  /** Resolves when the data are out of our hands; rejects when the connection is gone. */
  send(data: string | Buffer): Promise<void>
  /** Resolves when what was received matches, with all of it; rejects if the connection ends before. */
  received(pattern: RegExp): Promise<string>
  /** Resolves when the connection is gone, in whatever way, with all that was received. */
  closed(): Promise<string>
  /** Has no more to send, and goes on reading. */
  end(): void
  /** Ends the connection as a crash would. */
  reset(): void
}

export async function connectRaw(t: TestContext, port: number): Promise<RawClient> {
  const socket: Socket = connect(port, '127.0.0.1')
  let text = ''
  const keep = (chunk: Buffer) => {
    text += chunk.toString('latin1')
  }
  const read = () => socket.off('data', keep).on('data', keep)
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  return {
    send: (data) =>
      new Promise((resolve, reject) => {
        socket.write(data, (error) => (error ? reject(error) : resolve()))
      }),
    received: async (pattern) => {
      read()
      while (!pattern.test(text)) {
        if (socket.closed) throw new Error(`closed after ${JSON.stringify(text)}`)
        await Promise.race([once(socket, 'data'), once(socket, 'close')])
      }
      return text
    },
    closed: async () => {
      read()
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
      return text
    },
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  }
}

/** The head of a request to post `body` (or to promise a body of `length` bytes). */
export function requestHead(path: string, headers: Record<string, string | number>): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(([name, value]) => `${name}: ${value}`)
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
}
