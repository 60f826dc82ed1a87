import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { PROBLEM_TYPE, type Problem, problem } from '../lib/problem.ts'
import { HttpError } from './http-error.ts'
import { tellRequestId } from './log-requests.ts'

/**
 * Answers any error as problem+json. What nobody foresaw is a 500 whose cause is in the log only: it may
 * quote SQL, or what a query was given.
 */
export function sendProblem(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) {
  const answer = describe(error, request.id)
  if (answer.status === 500) request.log.error({ err: error }, 'request failed')
  if (answer.code === 'DATABASE_UNAVAILABLE') request.log.warn({ err: error.cause }, 'database unavailable')
  if (error instanceof HttpError) reply.headers(error.headers)
  // No hook has run for a URL that Fastify could not even decode.
  tellRequestId(request, reply)
  return reply.code(answer.status).type(PROBLEM_TYPE).send(answer)
}

function describe(error: FastifyError | Error, requestId: string): Problem {
  if (error instanceof HttpError) return problem(error.status, error.code, error.message, error.help)
  // Fastify's own, such as a URL it cannot decode: 4xx with a message meant for the caller.
  if ('statusCode' in error && error.statusCode !== undefined && error.statusCode < 500)
    return problem(error.statusCode, 'REQUEST_INVALID', error.message)
  return problem(
    500,
    'UNEXPECTED',
    'The request failed for a reason nobody foresaw.',
    `The log of api-rest has the cause, under reqId ${requestId}.`,
  )
}
