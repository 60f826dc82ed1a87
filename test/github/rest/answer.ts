import type { Actor } from '../authenticate.ts'
import { authorize } from '../authorize.ts'
import type { PrimaryLimits } from '../limits.ts'
import { notFound, Refusal } from '../refusal.ts'
import type { Violation } from '../types.ts'
import type { World } from '../world.ts'
import type { Exchange, Reply, RepositoryExchange, Route } from './exchange.ts'
import { findRoute } from './routes.ts'

export interface RestRequest {
  method: string
  /** Below `/api/v3`, with its query. */
  url: string
  body: unknown
  actor: Actor
}

/** Answers a REST request: checks it, does it, checks the answer. Violations are recorded and answered 500. */
export async function answerRest(
  world: World,
  limits: PrimaryLimits,
  violations: Violation[],
  request: RestRequest,
): Promise<Reply> {
  const { pathname, searchParams } = new URL(request.url, 'http://host')
  const found = findRoute(request.method, pathname)
  if (request.method === 'GET' && pathname === '/rate_limit') return rateLimit(limits, request.actor)
  if (!found) return unserved(world, violations, request.method, pathname)
  const { route, params } = found
  const query: Record<string, unknown> = Object.fromEntries(searchParams)
  const typed: Record<string, unknown> = { ...params }
  const checked = { params: typed, query, body: request.body }
  const wrong = world.description.checkRequest(route.operation, checked)
  if (wrong.length > 0) return violate(violations, 'request', route.operation, wrong)

  const exchange = {
    world,
    actor: request.actor,
    path: pathname,
    params: typed as Exchange['params'],
    query,
    body: request.body,
  }
  const reply = await handle(route, exchange)
  const completed = world.description.completeResponse(route.operation, reply.status, reply.body)
  if (completed.problems.length > 0) {
    return violate(violations, 'response', `${route.operation} ${reply.status}`, completed.problems)
  }
  return { ...reply, body: completed.body }
}

async function handle(route: Route, exchange: Exchange): Promise<Reply> {
  try {
    return await route.handle(admit(route, exchange))
  } catch (error) {
    if (error instanceof Refusal) return refusalReply(error)
    throw error
  }
}

/** @throws Refusal for those who may not use this operation */
function admit({ access }: Route, exchange: Exchange): Exchange | RepositoryExchange {
  const { actor, world, params } = exchange
  switch (access.kind) {
    case 'anyone':
      return exchange
    case 'app':
      if (actor.kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded')
      return exchange
    case 'installation':
      if (actor.kind === 'installation') return exchange
      throw new Refusal(
        403,
        'You must authenticate with an installation access token in order to list repositories for an installation.',
      )
    case 'user':
      if (actor.kind === 'user') return exchange
      if (actor.kind === 'installation') throw new Refusal(403, 'Resource not accessible by integration')
      throw new Refusal(401, 'Requires authentication')
    case 'repository': {
      const repository = world.state.findRepository(String(params.owner), String(params.repo))
      if (!repository) throw notFound()
      authorize(actor, repository, access)
      return { ...exchange, repository }
    }
  }
}

export function refusalReply({ status, message, errors, headers }: Refusal): Reply {
  const body = {
    message,
    ...(errors !== undefined && { errors }),
    documentation_url: 'https://docs.github.com/rest',
    status: String(status),
  }
  return { status, body, headers }
}

/** What a client may see of a violation: enough to find it. */
export function violate(
  violations: Violation[],
  where: Violation['where'],
  operation: string,
  problems: string[],
): Reply {
  const message = problems.join('; ')
  violations.push({ where, operation, message })
  return {
    status: 500,
    body: { message: `test server: violation in the ${where}: ${operation}: ${message}` },
  }
}

function unserved(world: World, violations: Violation[], method: string, path: string): Reply {
  const operation = world.description.find(method, path)
  const problem = operation
    ? `${operation} is not served by this test server`
    : 'GitHub has no such operation'
  return violate(violations, 'request', `${method} ${path}`, [problem])
}

function rateLimit(limits: PrimaryLimits, actor: Actor): Reply {
  const core = limits.usage(actor, 'core')
  const resources = { core, graphql: limits.usage(actor, 'graphql'), search: core }
  return { status: 200, body: { resources, rate: core } }
}
