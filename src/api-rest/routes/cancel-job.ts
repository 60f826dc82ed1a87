import { isFinal } from '../../jobs/job.ts'
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

export function addCancelJob(app: Api, { db }: { db: Database }): void {
  app.post(
    '/jobs/:id/cancel',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'cancelJob',
        summary: 'Stop a job',
        description:
          'The job is CANCELLED when this answers; a worker that runs it learns so with its next renewal, within 10 s. ' +
          'Refused once the job is final, and from the moment its review begins to be posted.',
        tags: ['jobs'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ id: JobId }),
        response: {
          200: answer('The job, cancelled.', Job, {
            ...EXAMPLE_JOB,
            status: 'CANCELLED',
            findings: [],
            review: null,
            reviewUrl: null,
          }),
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async ({ params: { id }, caller }) => {
      const actor = caller?.name ?? 'api'
      const cancelled = await transitionJob(db, 'cancel', {
        jobId: id,
        actor,
        reason: 'cancelled over the API',
      })
      const job = await getJob<Review>(db, id)
      if (!job) throw jobUnknown(id)
      if (cancelled) return presentJob(job)
      if (isFinal(job.status)) {
        throw new HttpError(409, 'JOB_FINAL', `The job is ${job.status} already.`, {
          help: 'There is nothing left to stop.',
        })
      }
      throw new HttpError(409, 'REVIEW_BEING_POSTED', "The job's review is being posted.", {
        help: 'It will be COMPLETED in a moment. Delete the review at the forge if it is not wanted.',
      })
    },
  )
}
