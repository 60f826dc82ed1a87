import type { IncomingMessage } from 'node:http'
import { problem } from '../lib/problem.ts'
import { carriesToken } from '../lib/telemetry/bearer.ts'
import { OPEN_METRICS_TYPE } from '../lib/telemetry/open-metrics.ts'
import { type Answer, answerProblem } from './answer.ts'

export type MetricsRoute = (request: IncomingMessage) => Answer | Promise<Answer>

/**
 * `GET /metrics`, for who carries the token. Addresses decide nothing: this port is public, and what comes from
 * the internet comes from the load balancer's private one.
 *
 * @returns undefined without a token: then there is no such route
 */
export function createMetricsRoute({
  render,
  token,
}: {
  render: () => Promise<string>
  token: string | undefined
}): MetricsRoute | undefined {
  if (token === undefined) return undefined
  return async ({ headers }) => {
    if (!carriesToken(headers.authorization, token)) return refused()
    return { status: 200, body: await render(), headers: { 'content-type': OPEN_METRICS_TYPE } }
  }
}

function refused(): Answer {
  const help = 'Send METRICS_TOKEN as "Authorization: Bearer <token>".'
  const body = problem(401, 'METRICS_TOKEN_INVALID', 'The token is missing or wrong.', help)
  return answerProblem(body, { 'www-authenticate': 'Bearer' })
}
