import { asKodusError } from '../lib/errors.ts'
import { modelDuration, modelTokens } from '../lib/telemetry/catalogue.ts'
import { secondsSince } from '../lib/telemetry/instrument.ts'
import { annotate, traced } from '../lib/telemetry/trace.ts'
import type { Model, ModelAnswer } from './model.ts'

/** The model, each of its answers measured and traced. What was asked and answered is told to nobody. */
export function measuredModel(model: Model): Model {
  const { name } = model
  return {
    name,
    async answer(request) {
      const began = performance.now()
      const measure = (outcome: string) => modelDuration.record({ model: name, outcome }, secondsSince(began))
      const ask = async (): Promise<ModelAnswer> => {
        const answer = await model.answer(request)
        const { inputTokens, outputTokens } = answer
        annotate({ 'gen_ai.usage.input_tokens': inputTokens, 'gen_ai.usage.output_tokens': outputTokens })
        modelTokens.add({ model: name, direction: 'input' }, inputTokens)
        modelTokens.add({ model: name, direction: 'output' }, outputTokens)
        return answer
      }
      const attributes = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': name }
      try {
        const answer = await traced({ name: `chat ${name}`, kind: 'client', attributes }, ask)
        measure('ok')
        return answer
      } catch (error) {
        measure(request.signal.aborted ? 'aborted' : asKodusError(error).code)
        throw error
      }
    },
  }
}
