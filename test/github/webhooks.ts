import { createHmac, randomUUID } from 'node:crypto'
import { messageOf } from '../../src/lib/errors.ts'
import type { Author, HookRecord, RepositoryRecord } from './model/state.ts'
import { presentAccount } from './present/accounts.ts'
import { presentRepository } from './present/repository.ts'
import type { Webhooks } from './server.ts'
import type { Delivery } from './types.ts'
import type { World } from './world.ts'

/** Where events go out, and what is known of each attempt. */
export interface Outbox extends Webhooks {
  /** Tells the App and the repository's hooks of an event, if they want to know. */
  emit(event: WebhookEvent): void
  /** An attempt of this hook, by its id. */
  find(hook: string, id: number): LoggedDelivery | undefined
  /** The attempts of this hook, newest first. */
  log(hook: string): LoggedDelivery[]
  attemptAgain(delivery: LoggedDelivery): void
  pingHook(repository: RepositoryRecord, hook: HookRecord): void
}

export interface WebhookEvent {
  name: string
  action: string | null
  repository: RepositoryRecord
  sender: Author
  payload: Record<string, unknown>
}

export interface LoggedDelivery extends Delivery {
  url: string
  target: HookRecord
  durationSeconds: number
  installationId: number | null
  repositoryId: number | null
}

/** GitHub waits no longer for an answer. */
const TIMEOUT_MS = 10_000

export function createOutbox(getWorld: () => World): Outbox {
  const log: LoggedDelivery[] = []
  let held: LoggedDelivery[] | undefined
  // Deliveries leave one after another, in order.
  let last = Promise.resolve()

  const send = (delivery: LoggedDelivery): Promise<void> => {
    last = last.then(() => attempt(getWorld(), delivery, log))
    return last
  }

  const dispatch = (delivery: LoggedDelivery) => {
    if (held) held.push(delivery)
    else void send(delivery)
  }

  const prepare = (
    target: HookRecord,
    hook: string,
    event: Omit<WebhookEvent, 'repository' | 'sender'>,
    repository?: RepositoryRecord,
  ): LoggedDelivery => {
    const { state } = getWorld()
    const installation =
      hook === 'app'
        ? state.installations.find(({ account }) => account.id === repository?.owner.id)
        : undefined
    const payload = {
      ...(event.action !== null && { action: event.action }),
      ...event.payload,
      ...(installation && { installation: { id: installation.id, node_id: `I_${installation.id}` } }),
    }
    return {
      id: state.nextId(),
      guid: randomUUID(),
      event: event.name,
      action: event.action,
      hook,
      redelivery: false,
      deliveredAt: getWorld().clock.timestamp(),
      status: 'queued',
      statusCode: 0,
      payload,
      request: { headers: {} },
      response: null,
      url: '',
      target,
      durationSeconds: 0,
      installationId: installation?.id ?? null,
      repositoryId: repository?.id ?? null,
    }
  }

  const again = (delivery: LoggedDelivery): LoggedDelivery => ({
    ...delivery,
    id: getWorld().state.nextId(),
    redelivery: true,
    status: 'queued',
    statusCode: 0,
    response: null,
  })

  const ping = (target: HookRecord, hook: string, repository?: RepositoryRecord) => {
    const payload = {
      zen: 'Design for failure.',
      hook_id: target.id,
      hook: { type: hook === 'app' ? 'App' : 'Repository', id: target.id, events: target.events },
      ...(repository && { repository: presentRepository(getWorld(), repository) }),
    }
    return prepare(target, hook, { name: 'ping', action: null, payload }, repository)
  }

  const takeHeld = (guids?: string[]): LoggedDelivery[] => {
    const waiting = held ?? []
    if (!guids) {
      if (held) held = []
      return waiting
    }
    const taken = guids.map((guid) => {
      const delivery = waiting.find((each) => each.guid === guid)
      if (!delivery) throw new Error(`no delivery ${guid} is held`)
      return delivery
    })
    held = waiting.filter((delivery) => !taken.includes(delivery))
    return taken
  }

  const release = async (guids?: string[]) => {
    await Promise.all(takeHeld(guids).map(send))
  }

  return {
    deliveries: log,
    find: (hook, id) => log.find((delivery) => delivery.hook === hook && delivery.id === id),
    log: (hook) => log.filter((delivery) => delivery.hook === hook).reverse(),
    emit(event) {
      const world = getWorld()
      const { repository } = event
      const payload = {
        ...event.payload,
        repository: world.description.complete('repository', presentRepository(world, repository)),
        ...(repository.owner.type === 'Organization' && {
          organization: { login: repository.owner.login, id: repository.owner.id },
        }),
        sender: world.description.complete('simple-user', presentAccount(world, event.sender.account)),
      }
      const hooks: [HookRecord, string][] = repository.hooks.map((hook) => [hook, repository.fullName])
      if (repository.installed) hooks.unshift([world.app.hook, 'app'])
      for (const [target, hook] of hooks) {
        if (!target.active || !(target.events.includes(event.name) || target.events.includes('*'))) continue
        dispatch(prepare(target, hook, { ...event, payload }, repository))
      }
    },
    attemptAgain: (delivery) => dispatch(again(delivery)),
    pingHook: (repository, hook) => dispatch(ping(hook, repository.fullName, repository)),
    deliverTo(url) {
      getWorld().app.hook.url = url ?? ''
    },
    hold() {
      held ??= []
    },
    held: () => [...(held ?? [])],
    release,
    async resume() {
      const waiting = takeHeld()
      held = undefined
      await Promise.all(waiting.map(send))
    },
    drop(guids) {
      const { clock } = getWorld()
      for (const delivery of takeHeld(guids)) {
        delivery.status = 'failed to connect to host'
        delivery.statusCode = 502
        delivery.deliveredAt = clock.timestamp()
        log.push(delivery)
      }
    },
    async redeliver(guid) {
      const delivery = log.findLast((each) => each.guid === guid)
      if (!delivery) throw new Error(`${guid} was never delivered`)
      await send(again(delivery))
    },
    ping: () => send(ping(getWorld().app.hook, 'app')),
    async settled() {
      // What is delivered may cause more to be delivered.
      for (let seen: Promise<void> | undefined; seen !== last; ) {
        seen = last
        await seen
      }
    },
  }
}

async function attempt(world: World, delivery: LoggedDelivery, log: LoggedDelivery[]): Promise<void> {
  const { target } = delivery
  const json = JSON.stringify(delivery.payload)
  const isForm = target.contentType === 'form'
  const body = isForm ? String(new URLSearchParams({ payload: json })) : json
  const sign = (algorithm: string) => createHmac(algorithm, target.secret).update(body).digest('hex')
  const isApp = delivery.hook === 'app'
  const headers: Record<string, string> = {
    accept: '*/*',
    'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
    'user-agent': 'GitHub-Hookshot/0000000',
    'x-github-delivery': delivery.guid,
    'x-github-event': delivery.event,
    'x-github-hook-id': String(target.id),
    'x-github-hook-installation-target-id': String(isApp ? world.app.id : delivery.repositoryId),
    'x-github-hook-installation-target-type': isApp ? 'integration' : 'repository',
    ...(target.secret && {
      'x-hub-signature': `sha1=${sign('sha1')}`,
      'x-hub-signature-256': `sha256=${sign('sha256')}`,
    }),
  }
  const started = performance.now()
  Object.assign(delivery, { url: target.url, deliveredAt: world.clock.timestamp(), request: { headers } })
  log.push(delivery)
  try {
    if (!target.url) throw new Error('no URL')
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(target.url, { method: 'POST', headers, body, signal, redirect: 'manual' })
    delivery.response = { headers: Object.fromEntries(response.headers), body: await response.text() }
    delivery.statusCode = response.status
    delivery.status = response.ok ? 'OK' : `Invalid HTTP Response: ${response.status}`
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError'
    delivery.status = timedOut ? 'timed out' : 'failed to connect to host'
    // GitHub's own gateway answers for a server that does not.
    delivery.statusCode = timedOut ? 504 : 502
    delivery.response = { headers: {}, body: messageOf(error) }
  }
  delivery.durationSeconds = Math.round((performance.now() - started) / 10) / 100
}
