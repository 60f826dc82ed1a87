import * as v from 'valibot'
import { KodusError } from '../lib/errors.ts'
import { type Endpoint, refused, unusable } from './endpoint-errors.ts'
import { extractJson } from './extract-json.ts'
import type { ModelAnswer } from './model.ts'

const Completion = v.object({
  choices: v.array(
    v.object({
      finish_reason: v.nullish(v.string()),
      message: v.object({ content: v.fallback(v.nullish(v.string()), ''), refusal: v.nullish(v.string()) }),
    }),
  ),
  usage: v.nullish(
    v.object({ prompt_tokens: v.optional(v.number(), 0), completion_tokens: v.optional(v.number(), 0) }),
  ),
})

/** Routers answer 200 and then report what went wrong behind them. */
const ErrorInBody = v.object({
  error: v.object({ message: v.string(), code: v.optional(v.union([v.string(), v.number()])) }),
})

/**
 * The model's JSON out of a chat completion.
 *
 * @throws KodusError MODEL_ANSWER_UNUSABLE, MODEL_UNKNOWN, and what a router reports in the body of a 200
 */
export function readCompletion(completion: unknown, endpoint: Endpoint): ModelAnswer {
  const error = v.safeParse(ErrorInBody, completion)
  if (error.success) {
    const { message, code = '' } = error.output.error
    const status = Number(code) >= 400 ? Number(code) : 502
    throw refused({ status, code: String(code), message, headers: new Headers() }, endpoint)
  }
  const parsed = v.safeParse(Completion, completion)
  if (!parsed.success) {
    throw new KodusError('MODEL_UNKNOWN', `${endpoint.url} answered something that is no chat completion.`, {
      help: 'Set LLM_BASE_URL to an OpenAI-compatible endpoint, up to and including its /v1.',
    })
  }
  const { choices, usage } = parsed.output
  return {
    value: readChoice(choices[0], endpoint),
    inputTokens: usage?.prompt_tokens ?? 0,
    outputTokens: usage?.completion_tokens ?? 0,
  }
}

type Choice = v.InferOutput<typeof Completion>['choices'][number]

function readChoice(choice: Choice | undefined, endpoint: Endpoint): unknown {
  if (!choice) throw unusable('it has no choices', endpoint)
  const { finish_reason: reason, message } = choice
  if (message.refusal) throw unusable('the model refused', endpoint)
  if (reason === 'content_filter') throw unusable("the endpoint's content filter cut it off", endpoint)
  if (reason === 'length') throw unusable('it was cut off at the limit of its length', endpoint)
  const value = extractJson(message.content ?? '')
  if (value === undefined) throw unusable('it is not JSON', endpoint)
  return value
}
