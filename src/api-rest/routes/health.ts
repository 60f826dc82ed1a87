import { within } from '../../lib/within.ts'
import type { Database } from '../../store/database.ts'
import { listStatuses } from '../../store/list-statuses.ts'
import { HttpError } from '../http-error.ts'
import { Health, Ready } from '../schemas.ts'
import { type Api, answer, problems } from '../valibot-routes.ts'

const READY_WITHIN_MS = 1_000

export interface HealthOptions {
  db: Database
  version: string
  instanceId: string
  isStopping: () => boolean
}

/** For load balancers and supervisors, which have no key. */
export function addHealth(app: Api, { db, version, instanceId, isStopping }: HealthOptions): void {
  const alive = { status: 'ok', component: 'api-rest', version, instance: instanceId } as const

  app.get(
    '/health',
    {
      schema: {
        operationId: 'getHealth',
        summary: 'Whether this process lives',
        description: 'Says nothing of the database: restarting this process would not bring that back.',
        tags: ['service'],
        response: { 200: answer('It lives.', Health, alive) },
      },
    },
    async () => alive,
  )

  app.get(
    '/ready',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether requests can be answered',
        tags: ['service'],
        response: {
          200: answer('The database answers, and its schema is there.', Ready, { status: 'ready' }),
          ...problems(503),
        },
      },
    },
    async () => {
      if (isStopping()) {
        throw new HttpError(503, 'STOPPING', 'This process is stopping.', {
          help: 'Ask another; what is still sent here is answered until it is gone.',
          headers: { 'retry-after': '5' },
        })
      }
      // Asks for no job at all, and so costs nothing; but it needs the server, and the table.
      const answered = await within(READY_WITHIN_MS, listStatuses(db, []), 'no answer').catch(() => undefined)
      if (answered) return { status: 'ready' as const }
      throw new HttpError(503, 'DATABASE_UNAVAILABLE', 'The database does not answer.', {
        help: 'See that PostgreSQL runs; it is asked again with each request.',
        headers: { 'retry-after': '5' },
      })
    },
  )
}
