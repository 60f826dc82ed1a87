import * as v from 'valibot'
import type { Database } from '../../store/database.ts'
import { findStops, type Stop as StoredStop } from '../../store/find-stops.ts'
import { liftStop } from '../../store/lift-stop.ts'
import { putStop } from '../../store/put-stop.ts'
import { requireScope } from '../authenticate.ts'
import { EXAMPLE_STOP } from '../examples.ts'
import { Text } from '../parameters.ts'
import { Stop, StopName, Stops } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'

const DESCRIPTION = `\`claiming\`: workers take no new jobs; those that run go on.
\`posting\`: no process writes anything to a forge; reviews that are ready wait, and lose nothing.

Every process heeds it within 10 s. Webhooks are accepted all the same.`

export function addStops(app: Api, { db }: { db: Database }): void {
  app.get(
    '/stops',
    {
      onRequest: requireScope(db, 'read'),
      schema: {
        operationId: 'listStops',
        summary: 'What is stopped',
        description: DESCRIPTION,
        tags: ['operation'],
        security: [{ apiKey: ['read'] }],
        response: {
          200: answer('The stops.', Stops, { stops: [EXAMPLE_STOP] }),
          ...problems(401, 403, 503),
        },
      },
    },
    () => listStops(db),
  )

  app.put(
    '/stops/:name',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'putStop',
        summary: 'Stop something for every process',
        description: DESCRIPTION,
        tags: ['operation'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ name: StopName }),
        querystring: parameters({
          reason: v.optional(v.pipe(Text, v.description('For whoever finds it stopped.'))),
        }),
        response: {
          200: answer('The stop. From here on, no review is committed to.', Stop, EXAMPLE_STOP),
          ...problems(400, 401, 403, 503),
        },
      },
    },
    async ({ params: { name }, query: { reason = null }, caller }) =>
      presentStop(await putStop(db, { name, reason, actor: caller?.name ?? 'api' })),
  )

  app.delete(
    '/stops/:name',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'liftStop',
        summary: 'Let go on what was stopped',
        description: 'What waits for it is due at once. Answers the same where nothing was stopped.',
        tags: ['operation'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ name: StopName }),
        response: {
          200: answer('The stops that are left.', Stops, { stops: [] }),
          ...problems(400, 401, 403, 503),
        },
      },
    },
    async ({ params: { name } }) => {
      await liftStop(db, name)
      return await listStops(db)
    },
  )
}

async function listStops(db: Database): Promise<v.InferInput<typeof Stops>> {
  return { stops: (await findStops(db)).map(presentStop) }
}

function presentStop({ stoppedAt, ...stop }: StoredStop): v.InferInput<typeof Stop> {
  return { ...stop, stoppedAt: stoppedAt.toISOString() }
}
