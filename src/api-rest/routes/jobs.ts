import * as v from 'valibot'
import type { Review } from '../../review/review.ts'
import type { Database } from '../../store/database.ts'
import { getJob } from '../../store/get-job.ts'
import { listJobs } from '../../store/list-jobs.ts'
import { requireScope } from '../authenticate.ts'
import { decodeCursor, encodeCursor } from '../cursor.ts'
import { EXAMPLE_JOB, EXAMPLE_SUMMARY } from '../examples.ts'
import { jobUnknown } from '../http-error.ts'
import { presentJob, presentJobSummary } from '../present-job.ts'
import { Job, JobId, JobPage, Status } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'

const DEFAULT_LIMIT = 20
const LIMIT = 'must be a whole number from 1 to 100'

/** Text to compare with a column; PostgreSQL's text cannot hold a NUL. */
const Text = v.pipe(
  v.string('must be given once'),
  v.nonEmpty('must not be empty'),
  v.maxLength(1000, 'is too long'),
  v.excludes('\0', 'must not hold a NUL'),
)

const ListParameters = parameters({
  type: v.optional(v.pipe(Text, v.description('`code-review` or `command`.'))),
  status: v.optional(Status),
  forge: v.optional(v.pipe(Text, v.description('`github`, `git`, …'))),
  repository: v.optional(v.pipe(Text, v.description('As the forge names it: `owner/name`, or a URL.'))),
  limit: v.optional(
    v.pipe(
      v.string(LIMIT),
      v.digits(LIMIT),
      v.transform(Number),
      v.number(),
      v.integer(),
      v.minValue(1, LIMIT),
      v.maxValue(100, LIMIT),
      v.metadata({ default: DEFAULT_LIMIT }),
    ),
  ),
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
