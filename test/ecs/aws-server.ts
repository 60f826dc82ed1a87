import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { type AwsService, TARGETS } from '../../src/cli/deploy/aws-services.ts'
import { complaintsAbout, shapesOf } from './check-shape.ts'
import { signatureComplaint } from './check-signature.ts'
import { Fault, type Input, OPERATIONS } from './operations.ts'
import { createWorld, REGION, type World } from './world.ts'

export interface Request {
  service: string
  operation: string
  input: Record<string, unknown>
  headers: IncomingHttpHeaders
}

export interface Misbehaviour {
  operation: string
  times: number
  /** Instead of the answer. A lost answer is one to a request that was carried out. */
  answer: Fault | 'reset' | 'lost answer'
}

export interface Aws {
  url: string
  world: World
  requests: Request[]
  misbehave(how: Misbehaviour): void
  /** Members that the SDK's description does not know yet. */
  unheardOf: Set<string>
  /** Whatever a request, or an answer of this server, had that it should not have. */
  complaints: string[]
  /** Processes that talk to it, which end with the test. */
  children: ChildProcess[]
}

export const KEYS = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret-of-the-test' }

/**
 * ECS, SSM and ECR on one port, as far as deploying needs them: AWS JSON 1.1, signed, with state. Requests and answers
 * are held to the descriptions that the SDK itself is made from.
 */
export async function startAws(t: TestContext): Promise<Aws> {
  const planned: Misbehaviour[] = []
  const aws: Aws = {
    url: '',
    world: createWorld(),
    requests: [],
    misbehave: (how) => void planned.push(how),
    unheardOf: new Set(),
    complaints: [],
    children: [],
  }
  const server = createServer((request, response) => {
    handle(aws, planned, request, response).catch((error) => {
      aws.complaints.push(String(error))
      response.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const child of aws.children) child.kill('SIGKILL')
    server.closeAllConnections()
    server.close()
  })
  aws.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return aws
}

async function handle(aws: Aws, planned: Misbehaviour[], request: IncomingMessage, response: ServerResponse) {
  const { headers } = request
  const body = await text(request)
  const [target = '', operation = ''] = String(headers['x-amz-target']).split('.')
  const service = (Object.keys(TARGETS) as AwsService[]).find((each) => TARGETS[each] === target) ?? target
  const input = JSON.parse(body)
  aws.requests.push({ service, operation, input, headers })

  const misbehaviour = planned.find((each) => each.operation === operation && each.times > 0)
  if (misbehaviour) misbehaviour.times -= 1
  const instead = misbehaviour?.answer
  if (instead === 'reset') return request.socket.resetAndDestroy()
  try {
    if (instead instanceof Fault) throw instead
    const answer = perform(aws, service, operation, input, headers, body)
    if (instead === 'lost answer') return request.socket.resetAndDestroy()
    send(response, 200, answer)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    send(response, error.status, { __type: `com.amazonaws.${service}#${error.type}`, message: error.message })
  }
}

function perform(
  aws: Aws,
  service: string,
  operation: string,
  input: Record<string, unknown>,
  headers: IncomingHttpHeaders,
  body: string,
): object {
  const complain = (complaints: string[]) =>
    aws.complaints.push(...complaints.map((each) => `${operation}: ${each}`))
  const refuse = (type: string, ...complaints: string[]) => {
    complain(complaints)
    return new Fault(type, complaints.join('; '))
  }
  if (headers['content-type'] !== 'application/x-amz-json-1.1') {
    throw refuse('UnknownOperationException', `content type ${headers['content-type']}`)
  }
  const unsigned = signatureComplaint(headers, body, KEYS, { service, region: REGION })
  if (unsigned) throw refuse('InvalidSignatureException', unsigned)
  const shapes = shapesOf(service, operation)
  const perform = OPERATIONS[operation]
  if (!shapes || !perform) throw refuse('UnknownOperationException', 'not known')
  const wrong = complaintsAbout(shapes.input, input, aws.unheardOf)
  if (wrong.length > 0) throw refuse('SerializationException', ...wrong)
  const answer = perform(aws.world, input as unknown as Input)
  complain(complaintsAbout(shapes.output, JSON.parse(JSON.stringify(answer)), aws.unheardOf))
  return answer
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
}
