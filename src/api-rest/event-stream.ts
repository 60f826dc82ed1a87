import { Readable } from 'node:stream'

/**
 * Bytes that may still wait for a client when a heartbeat is due. The log of a job with all its attempts is
 * a few kilobytes, so who has this much waiting is not reading.
 */
const MAX_WAITING_BYTES = 256 * 1024

/** Milliseconds after which a browser that lost its stream connects again. */
const RECONNECT_MS = 2_000

export interface EventStream {
  body: Readable
  send(event: string, data: object, id?: string): void
  end(): void
}

export interface EventStreamOptions {
  heartbeatMs: number
  onHeartbeat(): void
  /** Called once, whoever ended it: the client, this side, or the bound. */
  onClose(): void
}

/** One event in the wire format of server-sent events. */
export function formatEvent(event: string, data: object, id?: string): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
}

/** A body of server-sent events. A client that lets too much wait is cut off, and may resume. */
export function eventStream({ heartbeatMs, onHeartbeat, onClose }: EventStreamOptions): EventStream {
  let ended = false
  const heartbeat = setInterval(() => {
    if (body.readableLength > MAX_WAITING_BYTES) return void body.destroy()
    write(':\n\n')
    onHeartbeat()
  }, heartbeatMs)
  const body = new Readable({
    read() {},
    destroy(error, done) {
      clearInterval(heartbeat)
      onClose()
      done(error)
    },
  })
  // Sent at once, so that the client knows it is connected before anything happens.
  write(`retry: ${RECONNECT_MS}\n\n`)

  function write(text: string): void {
    if (!ended && !body.destroyed) body.push(text)
  }

  function end(): void {
    if (!ended) body.push(null)
    ended = true
  }

  return {
    body,
    send: (event, data, id) => write(formatEvent(event, data, id)),
    end,
  }
}
