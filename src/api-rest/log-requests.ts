import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Api } from './valibot-routes.ts'

/** What load balancers ask every few seconds is worth a line only to who looks for it. */
const QUIET = new Set(['/health', '/ready'])

/** One line an answer: the route rather than the URL, and the name of the key rather than the key. */
export function logRequests(app: Api): void {
  app.addHook('onRequest', async (request, reply) => tellRequestId(request, reply))
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url
    const { id } = (request.params ?? {}) as { id?: string }
    const line = {
      method: request.method,
      route: route ?? null,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      ...(id === undefined ? {} : { jobId: id }),
      ...(request.caller ? { caller: request.caller.name } : {}),
    }
    request.log[route && QUIET.has(route) ? 'debug' : 'info'](line, 'request')
  })
}

/** Tells the caller what the log calls this request: `reqId`. What the caller may call it is not taken over. */
export function tellRequestId(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id)
}
