import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { WEBHOOK_SOURCES } from '../forges/webhooks.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import type { Log } from '../lib/log.ts'
import { problem } from '../lib/problem.ts'
import { type Answer, answerError, answerProblem, send } from './answer.ts'
import type { MetricsRoute } from './metrics-route.ts'
import type { Readiness } from './readiness.ts'
import type { WebhookRoute } from './webhook-route.ts'

export interface AppOptions {
  webhook: WebhookRoute
  /** Undefined where nobody may read metrics. */
  metrics?: MetricsRoute | undefined
  readiness: () => Promise<Readiness>
  isStopping: () => boolean
  /** What `/health` tells: component, version, instance. */
  identity: Record<string, string>
  log: Log
}

/** The routes of the webhook handler. Serves `request` and `checkContinue` alike. */
export function createApp({
  webhook,
  metrics,
  readiness,
  isStopping,
  identity,
  log,
}: AppOptions): RequestListener {
  const health = (): Answer => ({ status: 200, body: { status: 'ok', ...identity } })

  const ready = async (): Promise<Answer> => {
    const stores = await readiness()
    const usable = stores.database === 'up' || stores.broker === 'up'
    if (usable && !isStopping()) return { status: 200, body: { status: 'ready', ...stores } }
    const detail = isStopping() ? 'This handler is stopping.' : 'No store would take a webhook now.'
    return answerProblem({ ...problem(503, 'NOT_READY', detail), ...stores }, { 'retry-after': '5' })
  }

  const route = (request: IncomingMessage, response: ServerResponse): Answer | Promise<Answer> => {
    const [path = ''] = (request.url ?? '').split('?')
    const only = (methods: string[], then: () => Answer | Promise<Answer>) =>
      methods.includes(request.method ?? '') ? then() : methodNotAllowed(methods)

    if (path === '/health') return only(['GET', 'HEAD'], health)
    if (path === '/ready') return only(['GET', 'HEAD'], ready)
    if (path === '/metrics' && metrics) return only(['GET', 'HEAD'], () => metrics(request))
    const forge = /^\/webhooks\/([^/]*)$/.exec(path)?.[1]
    if (forge === undefined) return notFound()
    if (!isForge(forge)) return forgeUnknown()
    return only(['POST'], () => webhook(forge, request, response))
  }

  return async (request, response) => {
    let answer: Answer
    try {
      answer = await route(request, response)
    } catch (error) {
      log.error({ err: error }, 'a request failed')
      answer = answerError(error)
    }
    send(request, response, answer, { close: isStopping() })
  }
}

function isForge(name: string): name is ForgeName {
  return Object.hasOwn(WEBHOOK_SOURCES, name)
}

function notFound(): Answer {
  const help = 'There are POST /webhooks/<forge>, GET /health and GET /ready.'
  return answerProblem(problem(404, 'NOT_FOUND', 'There is nothing at this address.', help))
}

function forgeUnknown(): Answer {
  const help = `The forges are: ${Object.keys(WEBHOOK_SOURCES).join(', ')}.`
  return answerProblem(problem(404, 'FORGE_UNKNOWN', 'No forge of this name is known here.', help))
}

function methodNotAllowed(methods: string[]): Answer {
  const allow = methods.join(', ')
  const body = problem(405, 'METHOD_NOT_ALLOWED', `This address takes ${allow} only.`)
  return answerProblem(body, { allow })
}
