import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { messageOf } from '../../src/lib/errors.ts'
import { type Actor, authenticate } from './authenticate.ts'
import type { ActiveFault, Faults } from './faults.ts'
import { admitGit, countTraffic, type GitTraffic, isGit } from './git.ts'
import { answerGraphql, operationName } from './graphql.ts'
import type { PrimaryLimits } from './limits.ts'
import { Refusal } from './refusal.ts'
import { answerRest, refusalReply, violate } from './rest/answer.ts'
import type { Reply } from './rest/exchange.ts'
import type { Failure, RecordedRequest, Violation } from './types.ts'
import type { World } from './world.ts'

export interface Front {
  world: World
  limits: PrimaryLimits
  faults: Faults
  requests: RecordedRequest[]
  violations: Violation[]
  traffic: GitTraffic
}

const REST = '/api/v3'
const GRAPHQL = '/api/graphql'

/** Answers everything but a git request that may go on. @returns whether it answered */
export async function answer(
  front: Front,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const { method = 'GET', url = '/' } = request
  const path = url.startsWith(REST) ? url.slice(REST.length) : url === GRAPHQL ? '/graphql' : url
  const record: RecordedRequest = { method, path, actor: 'anonymous', status: 0 }
  front.requests.push(record)
  response.on('finish', () => {
    record.status = response.statusCode
  })
  if (isGit(url)) return answerGit(front, request, response, record)

  const raw = await text(request)
  const body = parseBody(raw)
  if (body !== undefined) record.body = body
  if (path === '/graphql') record.operation = operationName(body)
  const fault = front.faults.take({
    method,
    path,
    body,
    ...(record.operation && { operation: record.operation }),
  })
  if (fault && cutsBefore(fault.failure)) {
    request.socket.resetAndDestroy()
    return true
  }
  const { reply, actor } = await reach(front, request, record, fault)
  if (response.destroyed) return true
  send(front, request, response, reply, actor, fault)
  return true
}

async function answerGit(
  front: Front,
  request: IncomingMessage,
  response: ServerResponse,
  record: RecordedRequest,
): Promise<boolean> {
  const { method, path } = record
  const fault = front.faults.take({ method, path, body: undefined })
  if (fault) {
    const { failure } = fault
    if ('cut' in failure) {
      request.socket.resetAndDestroy()
      return true
    }
    if ('hold' in failure) await fault.released
    else if ('status' in failure) {
      response.writeHead(failure.status, failure.headers).end(failure.message ?? '')
      return true
    } else throw new Error(`git cannot fail with ${JSON.stringify(failure)}`)
  }
  // Whoever asked has given up while it was held.
  if (response.destroyed) return true
  const actor = admitGit(front.world, request, response)
  if (!actor) return true
  record.actor = actor.name
  countTraffic(front.traffic, request, response)
  return false
}

/** From the credentials to the answer, with whatever fault there is in between. */
async function reach(
  front: Front,
  request: IncomingMessage,
  record: RecordedRequest,
  fault: ActiveFault | undefined,
): Promise<{ reply: Reply; actor: Actor | undefined }> {
  const { world, limits, violations } = front
  let actor: Actor | undefined
  try {
    actor = authenticate(world, request.headers.authorization)
    record.actor = actor.name
    const instead = fault && replyInstead(world, fault.failure, record)
    if (instead) return { reply: instead, actor }
    if (fault && 'hold' in fault.failure && fault.failure.hold === 'before') await fault.released
    const isGraphql = record.path === '/graphql'
    const free = record.path.startsWith('/rate_limit')
    if (!free) limits.check(actor, isGraphql ? 'graphql' : 'core')
    const reply = isGraphql
      ? await answerGraphql(world, violations, actor, record.body)
      : await answerRest(world, limits, violations, {
          method: record.method,
          url: record.path,
          body: record.body,
          actor,
        })
    const tagged = withEtag(request, record, reply)
    if (!free && tagged.status !== 304) limits.count(actor, isGraphql ? 'graphql' : 'core')
    if (fault && 'hold' in fault.failure && fault.failure.hold === 'after') await fault.released
    if (fault && 'statusAfter' in fault.failure) {
      return { reply: refusalReply(new Refusal(fault.failure.statusAfter, 'Server Error')), actor }
    }
    return { reply: tagged, actor }
  } catch (error) {
    if (error instanceof Refusal) return { reply: refusalReply(error), actor }
    const { method, path } = record
    return { reply: violate(violations, 'response', `${method} ${path}`, [messageOf(error)]), actor }
  }
}

function cutsBefore(failure: Failure): boolean {
  return 'cut' in failure && failure.cut === 'before'
}

/** The answer of a failure that keeps the request from being done. */
function replyInstead({ clock }: World, failure: Failure, { path }: RecordedRequest): Reply | undefined {
  if ('status' in failure) {
    const { status, message = 'Server Error', headers, errors } = failure
    return refusalReply(new Refusal(status, message, { errors, ...(headers && { headers }) }))
  }
  if ('primaryLimit' in failure) {
    const reset = Math.floor(clock.now().getTime() / 1000) + failure.primaryLimit.resetInSeconds
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) }
    return refusalReply(new Refusal(403, 'API rate limit exceeded for installation.', { headers }))
  }
  if ('secondaryLimit' in failure) {
    const { status = 403, retryAfter } = failure.secondaryLimit
    const message =
      'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.'
    const headers: Record<string, string> =
      retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
    return refusalReply(new Refusal(status, message, { headers }))
  }
  if ('permission' in failure) {
    const headers = { 'x-accepted-github-permissions': failure.permission }
    return refusalReply(new Refusal(403, 'Resource not accessible by integration', { headers }))
  }
  if ('unresolvable' in failure) {
    if (path === '/graphql') {
      const message = 'Pull request review thread line must be part of the diff'
      return { status: 200, body: { data: null, errors: [{ type: 'UNPROCESSABLE', message }] } }
    }
    return refusalReply(new Refusal(422, 'Unprocessable Entity', { errors: ['Line could not be resolved'] }))
  }
  if ('graphqlErrors' in failure) {
    return { status: 200, body: { data: null, errors: failure.graphqlErrors } }
  }
  return undefined
}

/** A GET's answer has a tag; who has the same answer already gets 304. */
function withEtag(request: IncomingMessage, { method }: RecordedRequest, reply: Reply): Reply {
  if (method !== 'GET' || reply.status !== 200) return reply
  const digest = createHash('sha256')
    .update(JSON.stringify(reply.body))
    .update(reply.headers?.link ?? '')
  const etag = `W/"${digest.digest('hex')}"`
  const headers = { ...reply.headers, etag, 'cache-control': 'private, max-age=60, s-maxage=60' }
  const known = request.headers['if-none-match']?.replace(/^(?!W\/)/, 'W/')
  return known === etag ? { status: 304, headers } : { ...reply, headers }
}

function send(
  { world, limits }: Front,
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  actor: Actor | undefined,
  fault: ActiveFault | undefined,
): void {
  const resource = request.url === GRAPHQL ? 'graphql' : 'core'
  const usage = limits.usage(actor ?? { kind: 'anonymous', name: 'anonymous' }, resource)
  const body = reply.body === undefined ? '' : JSON.stringify(reply.body)
  response.writeHead(reply.status, {
    date: world.clock.now().toUTCString(),
    'content-type': 'application/json; charset=utf-8',
    'x-github-request-id': `TEST:${world.state.nextId().toString(16).toUpperCase()}`,
    'x-github-media-type': 'github.v3; format=json',
    'x-ratelimit-limit': String(usage.limit),
    'x-ratelimit-remaining': String(usage.remaining),
    'x-ratelimit-used': String(usage.used),
    'x-ratelimit-reset': String(usage.reset),
    'x-ratelimit-resource': resource,
    ...(reply.status !== 304 && reply.status !== 204 && { 'content-length': Buffer.byteLength(body) }),
    ...reply.headers,
  })
  const cut = fault && 'cut' in fault.failure ? fault.failure.cut : undefined
  if (cut === 'after') request.socket.resetAndDestroy()
  else if (cut === 'body') {
    response.write(body.slice(0, Math.ceil(body.length / 2)), () => response.destroy())
  } else response.end(body)
}

function parseBody(raw: string): unknown {
  if (raw === '') return undefined
  try {
    return JSON.parse(raw)
  } catch {
    return raw
  }
}
