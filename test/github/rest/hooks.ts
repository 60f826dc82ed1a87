import type { HookRecord } from '../model/state.ts'
import { notFound, Refusal } from '../refusal.ts'
import type { LoggedDelivery } from '../webhooks.ts'
import type { World } from '../world.ts'
import {
  type Access,
  created,
  type Exchange,
  inRepository,
  ok,
  page,
  type Reply,
  type RepositoryExchange,
  type Route,
} from './exchange.ts'

const reading: Access = { kind: 'repository', app: ['repository_hooks=read'], level: 'admin' }
const writing: Access = { kind: 'repository', app: ['repository_hooks=write'], level: 'admin' }
const HOOKS = '/repos/{owner}/{repo}/hooks'
const HOOK = `${HOOKS}/{hook_id}`

/** GitHub forgets deliveries after three days, and redelivers none that it forgot. */
const DELIVERIES_KEPT_MS = 3 * 24 * 3_600_000

export const hooks: Route[] = [
  {
    operation: 'GET /app/hook/config',
    access: { kind: 'app' },
    handle: ({ world }) => ok(presentConfig(world.app.hook)),
  },
  {
    operation: 'PATCH /app/hook/config',
    access: { kind: 'app' },
    handle({ world, body }) {
      configure(world, world.app.hook, body ?? {})
      return ok(presentConfig(world.app.hook))
    },
  },
  ...deliveryRoutes('/app/hook/deliveries', { kind: 'app' }, () => 'app'),

  inRepository(`GET ${HOOKS}`, reading, (exchange) =>
    page(exchange, exchange.repository.hooks, (hook) => presentHook(exchange, hook)),
  ),
  inRepository(`POST ${HOOKS}`, writing, (exchange) => {
    const { world, repository, body } = exchange
    const { config = {}, events = ['push'], active = true } = body
    if (!config.url)
      throw new Refusal(422, 'Validation Failed', {
        errors: [{ resource: 'Hook', code: 'custom', message: 'url cannot be blank' }],
      })
    if (repository.hooks.some(({ url }) => url === config.url)) {
      const message = 'Hook already exists on this repository'
      throw new Refusal(422, 'Validation Failed', { errors: [{ resource: 'Hook', code: 'custom', message }] })
    }
    const now = world.clock.timestamp()
    const hook: HookRecord = {
      id: world.state.nextId(),
      events,
      active,
      url: '',
      secret: '',
      contentType: 'form',
      insecureSsl: '0',
      createdAt: now,
      updatedAt: now,
    }
    configure(world, hook, config)
    repository.hooks.push(hook)
    world.outbox.pingHook(repository, hook)
    return created(presentHook(exchange, hook))
  }),
  inRepository(`GET ${HOOK}`, reading, (exchange) => ok(presentHook(exchange, hookOf(exchange)))),
  inRepository(`PATCH ${HOOK}`, writing, (exchange) => {
    const { world, body } = exchange
    const hook = hookOf(exchange)
    configure(world, hook, body?.config ?? {})
    hook.events = body?.events ?? hook.events
    hook.active = body?.active ?? hook.active
    return ok(presentHook(exchange, hook))
  }),
  inRepository(`DELETE ${HOOK}`, writing, (exchange) => {
    const { repository } = exchange
    repository.hooks.splice(repository.hooks.indexOf(hookOf(exchange)), 1)
    return { status: 204 }
  }),
  inRepository(`GET ${HOOK}/config`, reading, (exchange) => ok(presentConfig(hookOf(exchange)))),
  inRepository(`PATCH ${HOOK}/config`, writing, (exchange) => {
    configure(exchange.world, hookOf(exchange), exchange.body ?? {})
    return ok(presentConfig(hookOf(exchange)))
  }),
  inRepository(`POST ${HOOK}/pings`, reading, (exchange) => {
    exchange.world.outbox.pingHook(exchange.repository, hookOf(exchange))
    return { status: 204 }
  }),
  ...deliveryRoutes(`${HOOK}/deliveries`, writing, (exchange) => {
    const at = exchange as RepositoryExchange
    hookOf(at)
    return at.repository.fullName
  }),
]

/** The log of a hook's deliveries, the same for the App's hook and for a repository's. */
function deliveryRoutes(path: string, access: Access, hookName: (exchange: Exchange) => string): Route[] {
  const find = (exchange: Exchange): LoggedDelivery => {
    const id = Number(exchange.params.delivery_id)
    const found = remembered(exchange, hookName(exchange)).find((each) => each.id === id)
    if (!found) throw notFound()
    return found
  }
  return [
    {
      operation: `GET ${path}`,
      access,
      handle: (exchange) => listDeliveries(exchange, remembered(exchange, hookName(exchange))),
    },
    {
      operation: `GET ${path}/{delivery_id}`,
      access,
      handle: (exchange) => ok(presentDelivery(find(exchange))),
    },
    {
      operation: `POST ${path}/{delivery_id}/attempts`,
      access,
      handle(exchange) {
        exchange.world.outbox.attemptAgain(find(exchange))
        return { status: 202, body: {} }
      },
    },
  ]
}

function remembered({ world, params }: Exchange, hook: string): LoggedDelivery[] {
  const oldest = world.clock.now().getTime() - DELIVERIES_KEPT_MS
  return world.outbox
    .log(hook)
    .filter(({ target }) => params.hook_id === undefined || target.id === Number(params.hook_id))
    .filter(({ deliveredAt }) => Date.parse(deliveredAt) >= oldest)
}

/** Pages by cursor: the id of the last delivery of the page before. */
function listDeliveries(exchange: Exchange, newestFirst: LoggedDelivery[]): Reply {
  const { world, path, query } = exchange
  const size = Math.min(Number(query.per_page ?? 30), 100)
  const cursor = /^v1_(\d+)$/.exec(String(query.cursor ?? ''))
  if (query.cursor !== undefined && !cursor) throw new Refusal(400, 'Invalid cursor')
  const succeeded = ({ statusCode }: LoggedDelivery) => statusCode >= 200 && statusCode < 400
  const chosen = newestFirst
    // What is on its way has neither failed nor succeeded.
    .filter(({ status }) => status !== 'queued')
    .filter(({ id }) => !cursor || id < Number(cursor[1]))
    .filter((each) => query.status === undefined || succeeded(each) === (query.status === 'success'))
  const shown = chosen.slice(0, size)
  const last = shown.at(-1)
  const search = new URLSearchParams({ ...(query as Record<string, string>), cursor: `v1_${last?.id}` })
  const headers: Record<string, string> =
    chosen.length > size ? { link: `<${world.origin}/api/v3${path}?${search}>; rel="next"` } : {}
  return { status: 200, body: shown.map(presentDeliveryItem), headers }
}

function presentDeliveryItem(delivery: LoggedDelivery) {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.durationSeconds,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repositoryId,
    throttled_at: null,
  }
}

function presentDelivery(delivery: LoggedDelivery) {
  return {
    ...presentDeliveryItem(delivery),
    url: delivery.url,
    request: { headers: delivery.request.headers, payload: delivery.payload },
    response: { headers: delivery.response?.headers ?? {}, payload: delivery.response?.body ?? null },
  }
}

function hookOf({ repository, params }: RepositoryExchange): HookRecord {
  const hook = repository.hooks.find(({ id }) => id === Number(params.hook_id))
  if (!hook) throw notFound()
  return hook
}

function configure(world: World, hook: HookRecord, config: Record<string, unknown>): void {
  hook.url = String(config.url ?? hook.url)
  hook.secret = String(config.secret ?? hook.secret)
  hook.contentType = String(config.content_type ?? hook.contentType)
  hook.insecureSsl = String(config.insecure_ssl ?? hook.insecureSsl)
  hook.updatedAt = world.clock.timestamp()
}

function presentConfig(hook: HookRecord) {
  return {
    ...(hook.url && { url: hook.url }),
    content_type: hook.contentType,
    insecure_ssl: hook.insecureSsl,
    ...(hook.secret && { secret: '********' }),
  }
}

function presentHook({ world, repository }: RepositoryExchange, hook: HookRecord) {
  const url = `${world.origin}/api/v3/repos/${repository.fullName}/hooks/${hook.id}`
  return {
    type: 'Repository',
    id: hook.id,
    name: 'web',
    active: hook.active,
    events: hook.events,
    config: presentConfig(hook),
    created_at: hook.createdAt,
    updated_at: hook.updatedAt,
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: { code: null, status: 'unused', message: null },
  }
}
