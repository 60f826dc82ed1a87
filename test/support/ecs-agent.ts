import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

const TASK = 'arn:aws:ecs:us-east-1:111122223333:task/kodus-cluster/0123456789abcdef0'
const PATH = '/api/0b69d5c0-d655-4695-98cd-5d2d526d9d5a'
const WITHIN_MS = 30_000

/** As a task asks for it. */
export interface ProtectionRequest {
  ProtectionEnabled: boolean
  ExpiresInMinutes?: number
}

type Behaviour = (response: ServerResponse, request: ProtectionRequest) => void

export interface EcsAgent {
  /** ECS_AGENT_URI. */
  uri: string
  requests: ProtectionRequest[]
  /** Whether the task is protected. */
  isProtected(): boolean
  /** What is done with every request from now on; nothing said: it grants them, as at first. */
  behave(behaviour?: Behaviour): void
  /** Grants one that was held back. */
  grant: Behaviour
  dropConnections(): void
  /** Resolves when that is so. */
  until(condition: () => boolean): Promise<void>
  close(): Promise<void>
}

/** The task protection endpoint of the ECS agent, in its wire format: answers, failures with 200, errors, and what goes wrong. */
export async function startEcsAgent(t: TestContext): Promise<EcsAgent> {
  const requests: ProtectionRequest[] = []
  let protectedUntil = 0
  const grant: Behaviour = (response, { ProtectionEnabled, ExpiresInMinutes = 120 }) => {
    protectedUntil = ProtectionEnabled ? Date.now() + ExpiresInMinutes * 60_000 : 0
    const ExpirationDate = ProtectionEnabled ? new Date(protectedUntil).toISOString() : null
    send(response, 200, { protection: { ExpirationDate, ProtectionEnabled, TaskArn: TASK } })
  }
  let behaviour = grant

  const server = createServer(async (incoming, response) => {
    if (incoming.method !== 'PUT' || incoming.url !== `${PATH}/task-protection/v1/state`) {
      return send(response, 404, {
        error: { Code: 'ResourceNotFoundException', Message: 'Failed to find a task for the request' },
      })
    }
    const request = JSON.parse(await text(incoming))
    // As the agent's decoder does, which knows no other fields.
    const unknown = Object.keys(request).filter((key) => !/^(ProtectionEnabled|ExpiresInMinutes)$/.test(key))
    const { ProtectionEnabled, ExpiresInMinutes } = request
    const minutes = ExpiresInMinutes ?? 120
    const valid = Number.isInteger(minutes) && minutes >= 1 && minutes <= 2_880
    if (unknown.length > 0 || typeof ProtectionEnabled !== 'boolean' || !valid) {
      return agentBehaviours.error(400, 'InvalidParameterException', 'failed to decode request')(response)
    }
    requests.push(request)
    behaviour(response, request)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  t.after(close)
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`,
    requests,
    isProtected: () => protectedUntil > Date.now(),
    behave: (next = grant) => {
      behaviour = next
    },
    grant,
    dropConnections: () => server.closeAllConnections(),
    async until(condition) {
      const deadline = performance.now() + WITHIN_MS
      while (!condition()) {
        if (performance.now() > deadline) throw new Error(`not within ${WITHIN_MS} ms`)
        await sleep(5)
      }
    },
    close,
  }
}

/** What else it does, besides granting what is asked. */
export const agentBehaviours = {
  /** 200, and not protected. */
  failure: (Reason: string) => (response: ServerResponse) =>
    send(response, 200, { failure: { Arn: TASK, Detail: null, Reason } }),
  error: (status: number, Code: string, Message: string) => (response: ServerResponse) =>
    send(response, status, { requestID: '12345-abc', error: { Arn: TASK, Code, Message } }),
  sends: (status: number, body: string) => (response: ServerResponse) =>
    void response.writeHead(status).end(body),
  /** Accepts the request and never answers. */
  hangs: () => {},
  resets: (response: ServerResponse) => void response.socket?.resetAndDestroy(),
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
