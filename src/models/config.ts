import { type Environment, required, text, type Variables } from '../lib/env.ts'

export const MODEL_VARIABLES = {
  LLM_BASE_URL: {
    describe: 'An OpenAI-compatible endpoint, up to and including its `/v1`. Unset: no model is asked.',
  },
  LLM_MODEL: { describe: "The model's name at that endpoint." },
  LLM_API_KEY: { describe: "The endpoint's key, where it wants one.", secret: true },
} as const satisfies Variables

export interface ModelConfig {
  baseUrl: string
  model: string
  apiKey: string | undefined
}

/** @returns undefined when no endpoint is configured. @throws KodusError CONFIG_MISSING when it is, without a model */
export function readModelConfig(env: Environment): ModelConfig | undefined {
  const baseUrl = text(env, MODEL_VARIABLES, 'LLM_BASE_URL')
  if (!baseUrl) return undefined
  return {
    baseUrl,
    model: required(
      env,
      MODEL_VARIABLES,
      'LLM_MODEL',
      'Name the model to ask at LLM_BASE_URL, or unset LLM_BASE_URL.',
    ),
    apiKey: text(env, MODEL_VARIABLES, 'LLM_API_KEY'),
  }
}
