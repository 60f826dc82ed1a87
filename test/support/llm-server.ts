import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** The body of a chat completion request, as far as anybody here looks at it. */
export interface ChatRequest {
  model: string
  messages: { role: string; content: string }[]
  response_format?: { type: string; json_schema?: { name: string; strict: boolean; schema: unknown } }
  max_tokens?: number
  max_completion_tokens?: number
}

export interface RecordedRequest {
  headers: IncomingHttpHeaders
  body: ChatRequest
  /** The system message and the user's. */
  system: string
  prompt: string
}

/** What the server does with one request. */
export type Behaviour = (request: RecordedRequest, response: ServerResponse) => void

export interface LlmServer {
  baseUrl: string
  requests: RecordedRequest[]
  /** What it does with the next requests, one each, and with every one after them. */
  behave(...behaviours: [Behaviour, ...Behaviour[]]): void
  close(): Promise<void>
}

/**
 * An OpenAI-compatible server on a port of its own: `/v1/chat/completions` and `/v1/models`, in the wire
 * format of the real ones. It answers with no findings until it is told to behave otherwise.
 */
export async function startLlmServer(...behaviours: Behaviour[]): Promise<LlmServer> {
  const requests: RecordedRequest[] = []
  const [first = answers({ findings: [] }), ...others] = behaviours
  let script: [Behaviour, ...Behaviour[]] = [first, ...others]

  const server = createServer(async (incoming, response) => {
    if (incoming.method === 'GET' && incoming.url === '/v1/models') {
      json(response, 200, {
        object: 'list',
        data: [{ id: 'fake', object: 'model', created: 0, owned_by: 'test' }],
      })
    } else if (incoming.method === 'POST' && incoming.url === '/v1/chat/completions') {
      const body = JSON.parse(await text(incoming)) as ChatRequest
      const said = (role: string) => body.messages.find((message) => message.role === role)?.content ?? ''
      const request = { headers: incoming.headers, body, system: said('system'), prompt: said('user') }
      requests.push(request)
      const [behaviour, ...rest] = script
      if (rest[0]) script = [rest[0], ...rest.slice(1)]
      behaviour(request, response)
    } else {
      json(response, 404, {
        error: { message: `Invalid URL (${incoming.method} ${incoming.url})`, code: null },
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    behave: (...next) => {
      script = next
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Answers with a value as JSON, or with what it makes of the request. */
export function answers(value: unknown): Behaviour {
  return (request, response) => {
    const answer: unknown = typeof value === 'function' ? value(request) : value
    says(JSON.stringify(answer))(request, response)
  }
}

/** Answers with text, whatever it is; the rest overrides parts of the completion's only choice. */
export function says(
  content: string | null,
  { finish_reason = 'stop', refusal = null as string | null } = {},
): Behaviour {
  return (request, response) => {
    const message = { role: 'assistant', content, refusal }
    json(response, 200, completion(request, [{ index: 0, message, logprobs: null, finish_reason }]))
  }
}

/** 200 and a completion in which nothing was chosen. */
export const choosesNothing: Behaviour = (request, response) => json(response, 200, completion(request, []))

/** Any HTTP error, in OpenAI's shape. */
export function fails(
  status: number,
  error: { message?: string; code?: string | null; type?: string } = {},
  headers: Record<string, string> = {},
): Behaviour {
  return (_, response) => {
    const { message = `error ${status}`, code = null, type = 'invalid_request_error' } = error
    json(response, status, { error: { message, type, param: null, code } }, headers)
  }
}

/** 200 and anything at all. */
export function sends(body: string, contentType = 'application/json'): Behaviour {
  return (_, response) => void response.writeHead(200, { 'content-type': contentType }).end(body)
}

/** Cuts the connection in the middle of a good answer. */
export const breaksOff: Behaviour = (request, response) => {
  const whole = JSON.stringify(completion(request, []))
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length })
  response.write(whole.slice(0, whole.length / 2), () => response.destroy())
}

/** Begins to answer, and never ends. */
export const hangs: Behaviour = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.write('{"id": "chatcmpl-1",')
}

/** Accepts no connection's request: the socket closes without an answer. */
export const hangsUp: Behaviour = (_, response) => void response.destroy()

/** A server that knows only some response formats, and refuses the others the way local servers do. */
export function understanding(forms: readonly string[], then: Behaviour): Behaviour {
  return (request, response) => {
    const form = request.body.response_format?.type ?? 'text'
    if (forms.includes(form)) return then(request, response)
    fails(400, { message: `'response_format.type' must be one of ${forms.join(', ')}` })(request, response)
  }
}

interface Choice {
  index: number
  message: { role: string; content: string | null; refusal: string | null }
  logprobs: null
  finish_reason: string
}

function completion(request: RecordedRequest, choices: Choice[]) {
  const tokens = (characters: number) => Math.ceil(characters / 4)
  const prompt_tokens = tokens(request.system.length + request.prompt.length)
  const completion_tokens = tokens(choices[0]?.message.content?.length ?? 0)
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: request.body.model,
    choices,
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
  }
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
