import * as v from 'valibot'
import type { Database } from '../../store/database.ts'
import { listEvents } from '../../store/list-events.ts'
import { listStatuses } from '../../store/list-statuses.ts'
import { identifyCaller, requireScope } from '../authenticate.ts'
import { eventStream, formatEvent } from '../event-stream.ts'
import { EXAMPLE_EVENTS } from '../examples.ts'
import { HttpError, jobUnknown } from '../http-error.ts'
import { presentEvent } from '../present-job.ts'
import { JobHistory, JobId } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'
import type { JobWatch } from '../watch-jobs.ts'

const STREAM = 'text/event-stream'

const DESCRIPTION = `With \`Accept: ${STREAM}\` the answer is a stream instead:

- \`event: transition\`, data a \`JobEvent\`: a change of status;
- \`event: progress\`, data a \`JobEvent\` with \`stage\` and \`progress\`: an attempt began a stage;
- \`event: end\`, data a \`JobEnd\`: the job is in a final state, and the stream closes.

The history so far comes first, then each event as it happens; \`id\` is the event's. A stream that closes without \`end\` was cut: connect again with \`Last-Event-ID\`, as browsers do by themselves.
Comments come every 15 s while nothing else does. The stream of a revoked key ends with the next one.`

const EXAMPLE_STREAM = EXAMPLE_EVENTS.map((event) =>
  formatEvent(event.stage === null ? 'transition' : 'progress', event, event.id),
).join('')

const Headers = v.looseObject({
  'last-event-id': v.optional(
    // An empty one is what a browser sends that has seen none. 18 digits are below PostgreSQL's bigint.
    v.pipe(v.string(), v.regex(/^\d{0,18}$/, 'must be the id of an event')),
  ),
})

export interface JobEventsOptions {
  db: Database
  watch: JobWatch
  heartbeatMs: number
}

export function addJobEvents(app: Api, { db, watch, heartbeatMs }: JobEventsOptions): void {
  app.get(
    '/jobs/:id/events',
    {
      onRequest: requireScope(db, 'read'),
      // Fastify would answer HEAD by reading the stream to its end.
      exposeHeadRoute: false,
      schema: {
        operationId: 'listJobEvents',
        summary: "A job's transitions, at once or as they happen",
        description: DESCRIPTION,
        tags: ['jobs'],
        security: [{ apiKey: ['read'] }],
        params: parameters({ id: JobId }),
        headers: Headers,
        response: {
          200: {
            description: 'The history, or the stream.',
            content: {
              ...answer('', JobHistory, { events: EXAMPLE_EVENTS }).content,
              [STREAM]: { schema: v.string(), example: EXAMPLE_STREAM },
            },
          },
          ...problems(400, 401, 403, 404, 503),
        },
      },
    },
    async (request, reply) => {
      const { id: jobId } = request.params
      const [known] = await listStatuses(db, [jobId])
      if (!known) throw jobUnknown(jobId)
      if (!request.headers.accept?.includes(STREAM)) {
        const events = await listEvents(db, [{ jobId, after: '0' }])
        return { events: events.map(presentEvent) }
      }

      const stream = eventStream({ heartbeatMs, onClose: () => stop(), onHeartbeat: checkKey })
      const stop = watch.add({
        jobId,
        after: request.headers['last-event-id'] || '0',
        onEvent: (event) =>
          stream.send(event.stage === null ? 'transition' : 'progress', presentEvent(event), event.id),
        onEnd: (status) => {
          if (status) stream.send('end', { status })
          stream.end()
        },
      })
      return (
        reply
          .header('cache-control', 'no-store')
          // nginx would hold events back until its buffer is full.
          .header('x-accel-buffering', 'no')
          .type(STREAM)
          .send(stream.body)
      )

      function checkKey() {
        identifyCaller(db, request.headers.authorization).catch((error) => {
          if (error instanceof HttpError && error.status === 401) stream.end()
        })
      }
    },
  )
}
