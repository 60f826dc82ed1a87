import { createOpenAiCompatibleModel } from '../../models/openai-compatible.ts'
import { readModel } from '../config.ts'
import type { Check } from './check.ts'

/** Asks for one word, so that address, key and model name are all seen to work. Costs a few tokens. */
export const checkModel: Check = async (env) => {
  const config = readModel(env)
  if (!config) return { state: 'off', says: 'none (LLM_BASE_URL is not set): rules and secrets only' }
  const model = createOpenAiCompatibleModel(config)
  await model.answer({
    system: 'You check a connection.',
    prompt: 'Answer with ok set to true.',
    schema: {
      type: 'object',
      properties: { ok: { type: 'boolean' } },
      required: ['ok'],
      additionalProperties: false,
    },
    schemaName: 'check',
    signal: AbortSignal.timeout(30_000),
  })
  return { state: 'ok', says: `${config.model} at LLM_BASE_URL answers` }
}
