import { OpenAI } from 'openai'
import { KodusError } from '../lib/errors.ts'
import { reached } from '../lib/moments.ts'
import { disconnected, type Endpoint, type Refusal, refusalOf, refused } from './endpoint-errors.ts'
import { measuredModel } from './measured-model.ts'
import type { Model, ModelRequest } from './model.ts'
import { readCompletion } from './read-completion.ts'

/** A reasoning model on a laptop's CPU takes minutes; a job has half an hour (`jobs/job-types.ts`). */
const DEFAULT_TIMEOUT_MS = 5 * 60_000

/** How JSON is asked for, from the firmest; local servers know some of these, and none knows which. */
const FORMS = ['json_schema', 'json_object', 'text'] as const

/** `max_tokens` is what everybody knows; OpenAI's reasoning models want its successor. */
type TokenLimit = 'max_tokens' | 'max_completion_tokens'

interface Dialect {
  form: (typeof FORMS)[number]
  limit: TokenLimit
}

/**
 * Any endpoint that speaks OpenAI's chat completions: OpenAI, Azure, OpenRouter, Ollama, vLLM, llama.cpp,
 * LM Studio. One request an answer; only where the endpoint refuses the form of the request is it asked again
 * in a simpler one, and what it accepted is remembered for this model.
 *
 * @param options.baseUrl up to and including `/v1`
 * @param options.timeoutMs until the last byte of an answer
 * @throws KodusError CONFIG_INVALID
 */
export function createOpenAiCompatibleModel(options: {
  baseUrl: string
  model: string
  apiKey?: string | undefined
  timeoutMs?: number
}): Model {
  const { baseUrl, model, apiKey, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const endpoint: Endpoint = { url: nameOf(baseUrl), model, apiKey: usableKey(apiKey) }
  const client = new OpenAI({
    baseURL: baseUrl,
    // What is left out here, the SDK takes from OPENAI_* variables: another endpoint's secrets.
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: apiKey ? {} : { authorization: null },
    maxRetries: 0,
    // A redirect would take the prompt, which is somebody's code, to a host that nobody has configured.
    fetchOptions: { redirect: 'manual' },
    timeout: timeoutMs,
    logLevel: 'off',
  })
  let dialect: Dialect = { form: 'json_schema', limit: 'max_tokens' }

  async function send(request: ModelRequest, signal: AbortSignal): Promise<unknown> {
    let trying: Dialect | undefined = dialect
    for (;;) {
      try {
        const completion = await client.chat.completions.create(body(model, request, trying), { signal })
        dialect = trying
        return completion
      } catch (error) {
        request.signal.throwIfAborted()
        const refusal = refusalOf(error)
        if (!refusal) throw disconnected(error, endpoint, timeoutMs)
        const next: Dialect | undefined = simpler(trying, refusal)
        if (!next) throw refused(refusal, endpoint)
        trying = next
      }
    }
  }

  return measuredModel({
    name: model,
    async answer(request) {
      // The SDK's own timeout ends with the headers.
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(timeoutMs)])
      reached('model-asked', { model })
      const completion = await send(request, signal)
      reached('model-answered', { model })
      return readCompletion(completion, endpoint)
    },
  })
}

function body(model: string, request: ModelRequest, { form, limit }: Dialect) {
  const { schema, schemaName: name } = request
  // Also where response_format carries it: some servers accept that and ignore it.
  const system = `${request.system}\n\nAnswer with one JSON object and nothing else. It must fit this JSON Schema:\n${JSON.stringify(schema)}`
  return {
    model,
    messages: [
      { role: 'system' as const, content: system },
      { role: 'user' as const, content: request.prompt },
    ],
    ...(request.maxOutputTokens === undefined ? {} : { [limit]: request.maxOutputTokens }),
    ...(form === 'json_schema'
      ? { response_format: { type: form, json_schema: { name, strict: true, schema: { ...schema } } } }
      : {}),
    ...(form === 'json_object' ? { response_format: { type: form } } : {}),
  }
}

/** The next thing to try when it was the form of the request that was refused. */
function simpler({ form, limit }: Dialect, { status, message }: Refusal): Dialect | undefined {
  if (status !== 400 && status !== 422) return undefined
  if (limit === 'max_tokens' && message.includes('max_completion_tokens')) {
    return { form, limit: 'max_completion_tokens' }
  }
  const next = FORMS[FORMS.indexOf(form) + 1]
  const aboutForm = /response_?format|json_?(schema|object)|structured[ _-]?output|guided|grammar/i
  return next && aboutForm.test(message) ? { form: next, limit } : undefined
}

function nameOf(baseUrl: string): string {
  const help = 'Set LLM_BASE_URL to something like https://api.openai.com/v1 or http://localhost:11434/v1.'
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new KodusError('CONFIG_INVALID', 'LLM_BASE_URL is not an http or https URL.', { help })
  }
  if (url.username || url.password) {
    throw new KodusError('CONFIG_INVALID', 'LLM_BASE_URL carries credentials, which would end up in logs.', {
      help: 'Take them out of the URL; a key goes into LLM_API_KEY.',
    })
  }
  return `${url.origin}${url.pathname}`
}

/** What HTTP cannot carry, the SDK would repeat in its error message. */
function usableKey(apiKey: string | undefined): string | undefined {
  if (apiKey === undefined || /^[\x21-\x7e]+$/.test(apiKey)) return apiKey
  throw new KodusError('CONFIG_INVALID', 'LLM_API_KEY has characters that no key has.', {
    help: 'Set LLM_API_KEY again, without spaces, line breaks or typographic dashes.',
  })
}
