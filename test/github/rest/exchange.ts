import type { Actor } from '../authenticate.ts'
import type { RepositoryAccess } from '../authorize.ts'
import type { Author, PullRecord, RepositoryRecord } from '../model/state.ts'
import { notFound, Refusal } from '../refusal.ts'
import type { World } from '../world.ts'

/** Who may use an operation at all. */
export type Access =
  | { kind: 'anyone' }
  /** The App itself, by JWT. */
  | { kind: 'app' }
  | { kind: 'installation' }
  | { kind: 'user' }
  | ({ kind: 'repository' } & RepositoryAccess)

export interface Exchange {
  world: World
  actor: Actor
  /** Below `/api/v3`, without the query. */
  path: string
  params: Record<string, string | number>
  query: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: checked against GitHub's description before
  body: any
}

export interface RepositoryExchange extends Exchange {
  repository: RepositoryRecord
}

export interface Reply {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

export interface Route {
  /** As GitHub's description has it: `GET /repos/{owner}/{repo}`. */
  operation: string
  access: Access
  handle(exchange: Exchange): Reply | Promise<Reply>
}

/** Reading with any of these permissions, or as anybody who can see the repository. */
export function reading(...app: RepositoryAccess['app']): Access {
  return { kind: 'repository', app, level: 'read' }
}

/** An operation within a repository. */
export function inRepository(
  operation: string,
  access: Access,
  handle: (exchange: RepositoryExchange) => Reply | Promise<Reply>,
): Route {
  return { operation, access, handle: (exchange) => handle(exchange as RepositoryExchange) }
}

export function ok(body: unknown): Reply {
  return { status: 200, body }
}

export function created(body: unknown): Reply {
  return { status: 201, body }
}

/** Who writes. @throws Refusal 401 for those who are nobody */
export function authorOf({ actor }: Exchange): Author {
  if (actor.kind === 'installation' || actor.kind === 'user') return actor.author
  throw new Refusal(401, 'Requires authentication')
}

export function pullOf({ repository, params }: RepositoryExchange): PullRecord {
  const pull = repository.pulls.get(Number(params.pull_number ?? params.issue_number))
  if (!pull) throw notFound()
  return pull
}

const DEFAULT_PAGE = 30
const MAX_PAGE = 100

/** One page of items; shown only then, since showing them may be dear. */
export function page<T>(
  { query, world, path }: Exchange,
  items: readonly T[],
  show: (item: T) => unknown,
  wrap: (shown: unknown[]) => unknown = (shown) => shown,
): Reply {
  const size = Math.min(Number(query.per_page ?? DEFAULT_PAGE), MAX_PAGE) || DEFAULT_PAGE
  const number = Math.max(Number(query.page ?? 1), 1)
  const last = Math.max(Math.ceil(items.length / size), 1)
  const link = (to: number, rel: string) => {
    const search = new URLSearchParams({ ...(query as Record<string, string>), page: String(to) })
    return `<${world.origin}/api/v3${path}?${search}>; rel="${rel}"`
  }
  const links = [
    ...(number > 1 ? [link(number - 1, 'prev')] : []),
    ...(number < last ? [link(number + 1, 'next'), link(last, 'last')] : []),
    ...(number > 1 ? [link(1, 'first')] : []),
  ]
  return {
    status: 200,
    body: wrap(items.slice((number - 1) * size, number * size).map(show)),
    headers: links.length > 0 ? { link: links.join(', ') } : {},
  }
}

/** GitHub stores no longer text. */
const MAX_BODY = 65_536

/** @throws Refusal 422 for a text that GitHub would not store */
export function checkText(resource: string, body: unknown, { required = true } = {}): string {
  const text = typeof body === 'string' ? body : ''
  if (required && text.trim() === '') {
    throw new Refusal(422, 'Validation Failed', {
      errors: [{ resource, code: 'missing_field', field: 'body' }],
    })
  }
  if ([...text].length > MAX_BODY) {
    const message = `body is too long (maximum is ${MAX_BODY} characters)`
    throw new Refusal(422, 'Validation Failed', {
      errors: [{ resource, code: 'custom', field: 'body', message }],
    })
  }
  return text
}
