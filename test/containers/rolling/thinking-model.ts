import { answers, startLlmServer } from '../../support/llm-server.ts'
import { forwardToLoopback } from '../forward-to-loopback.ts'
import { secondsToThink } from './webhooks.ts'

export interface ThinkingModel {
  /** For containers of a network whose gateway this machine is. */
  baseUrl: string
  close(): Promise<void>
}

/** A model that finds nothing, and thinks about some changes for a while: their jobs run as long as real ones do. */
export async function startThinkingModel(gateway: string): Promise<ThinkingModel> {
  const model = await startLlmServer((request, response) => {
    const answer = () => answers({ findings: [] })(request, response)
    setTimeout(answer, secondsToThink(request.prompt) * 1000).unref()
  })
  const { port } = new URL(model.baseUrl)
  const forwarder = await forwardToLoopback(gateway, Number(port))
  return {
    baseUrl: `${forwarder.origin}/v1`,
    async close() {
      forwarder.close()
      await model.close()
    },
  }
}
