import type { FastifyRequest } from 'fastify'
import * as v from 'valibot'
import { carriesToken } from '../../lib/telemetry/bearer.ts'
import { OPEN_METRICS_TYPE } from '../../lib/telemetry/open-metrics.ts'
import type { Database } from '../../store/database.ts'
import { requireScope } from '../authenticate.ts'
import { type Api, problems } from '../valibot-routes.ts'

export interface MetricsOptions {
  /** What there is to tell now, as OpenMetrics text. */
  render: () => Promise<string>
  /** Who carries it needs no API key, and so no database that knows it. */
  token: string | undefined
}

const EXAMPLE = `# TYPE kodus_jobs_claimable gauge
# HELP kodus_jobs_claimable Jobs that wait and whose moment has come, those included that a limit keeps waiting.
kodus_jobs_claimable 3
# EOF
`

export function addMetrics(app: Api, { db, render, token }: MetricsOptions & { db: Database }): void {
  const requireRead = requireScope(db, 'read')
  const authorize = async (request: FastifyRequest) => {
    if (!carriesToken(request.headers.authorization, token)) await requireRead(request)
  }

  app.get(
    '/metrics',
    {
      onRequest: authorize,
      schema: {
        operationId: 'getMetrics',
        summary: 'What this process and the queue are doing',
        description:
          'OpenMetrics 1.0, for Prometheus. Takes `METRICS_TOKEN` too, in the place of an API key: then it also answers while the database is away, without what only that could tell.',
        tags: ['service'],
        security: [{ apiKey: ['read'] }],
        response: {
          200: {
            description: 'Every metric of `docs/metrics.md` that has a value.',
            content: { [OPEN_METRICS_TYPE.split(';')[0] ?? '']: { schema: v.string(), example: EXAMPLE } },
          },
          ...problems(401, 403, 503),
        },
      },
    },
    async (_request, reply) => reply.type(OPEN_METRICS_TYPE).send(await render()),
  )
}
