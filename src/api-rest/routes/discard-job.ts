import type { Review } from '../../review/review.ts'
import type { Database } from '../../store/database.ts'
import { discardJob } from '../../store/discard-job.ts'
import { getJob } from '../../store/get-job.ts'
import { requireScope } from '../authenticate.ts'
import { EXAMPLE_FAILED } from '../examples.ts'
import { HttpError, jobUnknown } from '../http-error.ts'
import { presentJob } from '../present-job.ts'
import { Job, JobId } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'

export function addDiscardJob(app: Api, { db }: { db: Database }): void {
  app.post(
    '/jobs/:id/discard',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'discardJob',
        summary: 'Put a failed job aside',
        description:
          'It stays FAILED, can still be replayed, and is no longer listed by `GET /jobs?dead=true`.',
        tags: ['jobs'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ id: JobId }),
        response: {
          200: answer('The job, discarded.', Job, {
            ...EXAMPLE_FAILED,
            discardedAt: '2026-03-02T10:02:44.018Z',
          }),
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async ({ params: { id }, caller }) => {
      const actor = caller?.name ?? 'api'
      const discarded = await discardJob(db, { jobId: id, actor, reason: 'discarded over the API' })
      const job = await getJob<Review>(db, id)
      if (!job) throw jobUnknown(id)
      if (discarded) return presentJob(job)
      const state = job.discardedAt ? 'discarded already' : job.status
      throw new HttpError(409, 'JOB_NOT_DISCARDABLE', `The job is ${state}.`, {
        help: 'Only a job that is FAILED can be discarded, and once.',
      })
    },
  )
}
