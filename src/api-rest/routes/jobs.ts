import * as v from 'valibot'
import type { Review } from '../../review/review.ts'
import type { Database } from '../../store/database.ts'
import { getJob } from '../../store/get-job.ts'
import { listJobs } from '../../store/list-jobs.ts'
import { requireScope } from '../authenticate.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { EXAMPLE_JOB, EXAMPLE_SUMMARY } from '../examples.ts'
import { jobUnknown } from '../http-error.ts'
import { DEFAULT_LIMIT, Limit, Text } from '../parameters.ts'
import { presentJob, presentJobSummary } from '../present-job.ts'
import { Job, JobId, JobPage, Status } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'

const ListParameters = parameters({
  type: v.optional(v.pipe(Text, v.description('`code-review` or `command`.'))),
  status: v.optional(Status),
  forge: v.optional(v.pipe(Text, v.description('`github`, `git`, …'))),
  repository: v.optional(v.pipe(Text, v.description('As the forge names it: `owner/name`, or a URL.'))),
  code: v.optional(v.pipe(Text, v.description("Of the job's error, as `MODEL_UNAVAILABLE`."))),
  dead: v.optional(
    v.pipe(
      v.picklist(['true', 'false'], 'must be true or false'),
      v.transform((text) => text === 'true'),
      v.boolean(),
      v.description('Only those that are FAILED and that nobody has discarded.'),
    ),
  ),
  limit: v.optional(Limit),
  cursor: v.optional(v.pipe(Text, v.description('The `next` of the page before.'))),
})

export function addJobs(app: Api, { db }: { db: Database }): void {
  const readable = { onRequest: requireScope(db, 'read') }
  const about = { tags: ['jobs'], security: [{ apiKey: ['read'] }] }

  app.get(
    '/jobs',
    {
      ...readable,
      schema: {
        ...about,
        operationId: 'listJobs',
        summary: 'Jobs, newest first',
        description: 'Pages by cursor: jobs that arrive meanwhile neither shift nor repeat what follows.',
        querystring: ListParameters,
        response: {
          200: answer('One page.', JobPage, {
            jobs: [EXAMPLE_SUMMARY],
            next: 'MjAyNi0wMy0wMlQwOToxNDowNy4zMTIwMDBaIDVmMGM4YTM2LTZlMGUtNWIwYS05ZDUzLTBmNWFkMWMwZjFkZQ',
          }),
          ...problems(400, 401, 403, 503),
        },
      },
    },
    async ({ query: { limit = DEFAULT_LIMIT, cursor, ...filter } }) => {
      const after = cursor === undefined ? undefined : decodeCursor(cursor)
      const { jobs, next } = await listJobs(db, { filter, after, limit })
      return { jobs: jobs.map(presentJobSummary), next: next ? encodeCursor(next) : null }
    },
  )

  app.get(
    '/jobs/:id',
    {
      ...readable,
      schema: {
        ...about,
        operationId: 'getJob',
        summary: 'One job, with its review',
        params: parameters({ id: JobId }),
        response: { 200: answer('The job.', Job, EXAMPLE_JOB), ...problems(400, 401, 403, 404, 503) },
      },
    },
    async ({ params: { id } }) => {
      const job = await getJob<Review>(db, id)
      if (!job) throw jobUnknown(id)
      return presentJob(job)
    },
  )
}
