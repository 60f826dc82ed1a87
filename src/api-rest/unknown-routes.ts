import { PROBLEM_TYPE, problem } from '../lib/problem.ts'
import type { Api } from './valibot-routes.ts'

/** Answers 405 with `Allow` where another method would have met a route, and 404 everywhere else. */
export function refuseUnknownRoutes(app: Api): void {
  const routes: { pattern: RegExp; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replace(/:[^/]+/g, '[^/]+').replace('*', '.*')}$`)
    routes.push({ pattern, methods: [method].flat() })
  })

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)
    if (allowed.length === 0 || allowed.includes(request.method)) {
      const unknown = problem(404, 'ROUTE_UNKNOWN', `There is no ${request.method} ${path}.`, 'See /docs.')
      return reply.code(404).type(PROBLEM_TYPE).send(unknown)
    }
    const list = allowed.join(', ')
    const refused = problem(405, 'METHOD_NOT_ALLOWED', `${path} knows ${list}, not ${request.method}.`)
    return reply.code(405).header('allow', list).type(PROBLEM_TYPE).send(refused)
  })
}
