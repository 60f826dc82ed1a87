import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { answers, startLlmServer } from '../../support/llm-server.ts'
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
  // It listens on the loopback, which is another one inside a container.
  const forwarder = createServer((from) => {
    const to = connect({ host: '127.0.0.1', port: Number(port) })
    from.on('error', () => to.destroy())
    to.on('error', () => from.destroy())
    from.pipe(to).pipe(from)
  })
  forwarder.listen(0, gateway)
  await once(forwarder, 'listening')
  return {
    baseUrl: `http://${gateway}:${(forwarder.address() as AddressInfo).port}/v1`,
    async close() {
      forwarder.close()
      await model.close()
    },
  }
}
