import assert from 'node:assert/strict'

export interface StreamEvent {
  event: string
  id?: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON an event carries; tests say what they expect.
  data: any
}

/** A stream that hangs fails its test, rather than keeping it for ever. */
const PATIENCE_MS = 30_000

/** Opens a stream and reads it as a browser would; comments come out as `event: 'comment'`. */
export async function openStream(url: string, key: string, headers: Record<string, string> = {}) {
  const abort = new AbortController()
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${key}`, accept: 'text/event-stream', ...headers },
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(PATIENCE_MS)]),
  })
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
  const events = read(response)
  return {
    events,
    close: () => abort.abort(),
    /** Reads on until an event of this name, and returns what came, that one included. */
    async until(event: string): Promise<StreamEvent[]> {
      const seen: StreamEvent[] = []
      for (;;) {
        const { value, done } = await events.next()
        assert.ok(!done, `the stream ended before "${event}", after ${JSON.stringify(seen)}`)
        seen.push(value)
        if (value.event === event) return seen
      }
    },
    /** Everything to the end of the stream, comments left out. */
    async rest(): Promise<StreamEvent[]> {
      const seen: StreamEvent[] = []
      for await (const event of events) if (event.event !== 'comment') seen.push(event)
      return seen
    },
  }
}

async function* read(response: Response): AsyncGenerator<StreamEvent, void> {
  const decoder = new TextDecoder()
  let buffered = ''
  for await (const chunk of response.body ?? []) {
    buffered += decoder.decode(chunk, { stream: true })
    const frames = buffered.split('\n\n')
    buffered = frames.pop() ?? ''
    for (const frame of frames) {
      const event = parse(frame)
      if (event) yield event
    }
  }
}

function parse(frame: string): StreamEvent | undefined {
  if (frame.startsWith(':')) return { event: 'comment', data: null }
  const fields = Object.fromEntries(frame.split('\n').map((line) => line.split(/: (.*)/s)))
  if (!fields.event) return undefined
  return { event: fields.event, ...(fields.id ? { id: fields.id } : {}), data: JSON.parse(fields.data) }
}
