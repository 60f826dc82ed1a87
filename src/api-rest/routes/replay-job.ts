import { TRANSITIONS } from '../../jobs/job.ts'
import type { Review } from '../../review/review.ts'
import type { Database } from '../../store/database.ts'
import { getJob } from '../../store/get-job.ts'
import { transitionJob } from '../../store/transition-job.ts'
import { requireScope } from '../authenticate.ts'
import { EXAMPLE_JOB } from '../examples.ts'
import { HttpError, jobUnknown } from '../http-error.ts'
import { presentJob } from '../present-job.ts'
import { Job, JobId } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'

const REPLAYABLE = TRANSITIONS.replay.from.join(' or ')

/**
 * The API needs no queue to replay: the row becomes due at once. Where PostgreSQL is the queue, the workers
 * poll due rows; where RabbitMQ is, their dispatcher publishes them within a second.
 */
export function addReplayJob(app: Api, { db }: { db: Database }): void {
  app.post(
    '/jobs/:id/replay',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'replayJob',
        summary: 'Run a job again',
        description: `Begins a new run of a job that is ${REPLAYABLE}, with all its attempts before it.`,
        tags: ['jobs'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ id: JobId }),
        response: {
          202: answer('The job, waiting for a worker.', Job, {
            ...EXAMPLE_JOB,
            status: 'PENDING',
            run: 2,
            attempts: 0,
            stage: null,
            progress: 0,
            startedAt: null,
            finishedAt: null,
            findings: [],
            review: null,
            reviewUrl: null,
          }),
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async ({ params: { id }, caller }, reply) => {
      const actor = caller?.name ?? 'api'
      const replayed = await transitionJob(db, 'replay', {
        jobId: id,
        actor,
        reason: 'replayed over the API',
      })
      const job = await getJob<Review>(db, id)
      if (!job) throw jobUnknown(id)
      if (!replayed) {
        throw new HttpError(409, 'JOB_NOT_REPLAYABLE', `The job is ${job.status}.`, {
          help: `Only a job that is ${REPLAYABLE} can be replayed.`,
        })
      }
      return reply.code(202).send(presentJob(job))
    },
  )
}
