import * as v from 'valibot'
import { replayDeadLetter, settledBefore } from '../../jobs/replay-dead-letter.ts'
import { KodusError } from '../../lib/errors.ts'
import { printable } from '../../review/printable.ts'
import type { Database } from '../../store/database.ts'
import { getDeadLetter } from '../../store/get-dead-letter.ts'
import { listDeadLetters } from '../../store/list-dead-letters.ts'
import { settleDeadLetter } from '../../store/settle-dead-letter.ts'
import { requireScope } from '../authenticate.ts'
import { EXAMPLE_DEAD_LETTER } from '../examples.ts'
import { deadLetterUnknown, HttpError } from '../http-error.ts'
import { DEFAULT_LIMIT, Limit } from '../parameters.ts'
import { DeadLetterId, DeadLetterPage, SettledLetter } from '../schemas.ts'
import { type Api, answer, parameters, problems } from '../valibot-routes.ts'

const Cursor = v.pipe(
  v.string('must be given once'),
  v.regex(/^\d{1,18}$/, 'is not one that this API gave out'),
  v.description('The `next` of the page before.'),
)

const JOB_ID = '5f0c8a36-6e0e-5b0a-9d53-0f5ad1c0f1de'

/** Messages that no component could read: see jobs/rabbitmq-dead-letters.ts. */
export function addDeadLetters(app: Api, { db }: { db: Database }): void {
  app.get(
    '/dead-letters',
    {
      onRequest: requireScope(db, 'read'),
      schema: {
        operationId: 'listDeadLetters',
        summary: 'Messages that no component could read, newest first',
        description: 'Those that nobody has replayed or discarded.',
        tags: ['operation'],
        security: [{ apiKey: ['read'] }],
        querystring: parameters({ limit: v.optional(Limit), cursor: v.optional(Cursor) }),
        response: {
          200: answer('One page.', DeadLetterPage, { deadLetters: [EXAMPLE_DEAD_LETTER], next: '17' }),
          ...problems(400, 401, 403, 503),
        },
      },
    },
    async ({ query: { limit = DEFAULT_LIMIT, cursor } }) => {
      const { letters, next } = await listDeadLetters(db, { before: cursor, limit })
      const deadLetters = letters.map(({ beginning, receivedAt, ...letter }) => ({
        ...letter,
        excerpt: printable(beginning.toString()),
        receivedAt: receivedAt.toISOString(),
      }))
      return { deadLetters, next: next ?? null }
    },
  )

  app.post(
    '/dead-letters/:id/replay',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'replayDeadLetter',
        summary: 'Hand a message to where it belongs',
        description: 'For a message that this build can read. One that it cannot stays as it is.',
        tags: ['operation'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ id: DeadLetterId }),
        response: {
          200: answer('What was done.', SettledLetter, {
            id: '17',
            outcome: 'replayed',
            jobId: JOB_ID,
            did: 'recorded as a new job',
          }),
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async ({ params: { id }, caller }) => {
      const actor = caller?.name ?? 'api'
      const replayed = await replayDeadLetter(db, { id, actor }).catch((error: unknown) => {
        throw error instanceof KodusError ? conflict(error) : error
      })
      if (!replayed) throw deadLetterUnknown(id)
      return { id, outcome: 'replayed' as const, ...replayed }
    },
  )

  app.post(
    '/dead-letters/:id/discard',
    {
      onRequest: requireScope(db, 'write'),
      schema: {
        operationId: 'discardDeadLetter',
        summary: 'Put a message aside',
        tags: ['operation'],
        security: [{ apiKey: ['write'] }],
        params: parameters({ id: DeadLetterId }),
        response: {
          200: answer('The message, discarded.', SettledLetter, {
            id: '17',
            outcome: 'discarded',
            jobId: null,
            did: 'discarded',
          }),
          ...problems(400, 401, 403, 404, 409, 503),
        },
      },
    },
    async ({ params: { id }, caller }) => {
      const actor = caller?.name ?? 'api'
      if (!(await settleDeadLetter(db, { id, outcome: 'discarded', actor }))) {
        throw (await getDeadLetter(db, id)) ? conflict(settledBefore(id)) : deadLetterUnknown(id)
      }
      return { id, outcome: 'discarded' as const, jobId: null, did: 'discarded' }
    },
  )
}

function conflict(error: KodusError): HttpError {
  if (error instanceof HttpError) return error
  return new HttpError(409, error.code, error.message, { help: error.help, cause: error })
}
