import type { IncomingMessage, ServerResponse } from 'node:http'
import { toJsonSchema } from '@valibot/to-json-schema'
import type { FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import * as v from 'valibot'
import type { Log } from '../lib/log.ts'
import { PROBLEM_TYPE } from '../lib/problem.ts'
import { HttpError } from './http-error.ts'
import { NAMED_SCHEMAS, Problem } from './schemas.ts'

/** Routes declare Valibot schemas: a handler gets what they put out, and may answer only what they take in. */
export interface ValibotTypes extends FastifyTypeProvider {
  validator: this['schema'] extends v.GenericSchema ? v.InferOutput<this['schema']> : unknown
  serializer: this['schema'] extends v.GenericSchema ? v.InferInput<this['schema']> : unknown
}

export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse<IncomingMessage>,
  Log,
  ValibotTypes
>

/** Checks a part of a request. What is wrong is named, so that nobody has to guess which parameter it was. */
export function compileValidator({ schema }: { schema: v.GenericSchema }) {
  return (data: unknown): { value: unknown } | { error: HttpError } => {
    const result = v.safeParse(schema, data, { abortEarly: true })
    if (result.success) return { value: result.output }
    const issue = result.issues[0]
    return {
      error: new HttpError(400, 'PARAMETER_INVALID', `${v.getDotPath(issue)} ${issue.message}.`, {
        help: 'GET /openapi.json describes every parameter, and /docs shows it.',
      }),
    }
  }
}

/** The parameters of a request; one that is not among them is refused, since a typo would widen the answer. */
export function parameters<Entries extends v.ObjectEntries>(entries: Entries) {
  return v.strictObject(entries, 'is not a parameter of this route')
}

/** A successful JSON answer. */
export function answer<Schema extends v.GenericSchema>(
  description: string,
  schema: Schema,
  example: v.InferInput<Schema>,
) {
  return { description, content: { 'application/json': { schema, example } } }
}

const PROBLEMS: Record<number, { description: string; headers?: Record<string, object> }> = {
  400: { description: 'A parameter is malformed; `detail` names it.' },
  401: {
    description: 'The API key is missing, unknown or revoked.',
    headers: { 'WWW-Authenticate': { type: 'string', description: 'A challenge of RFC 6750.' } },
  },
  403: { description: 'The API key lacks the scope.' },
  404: { description: 'There is nothing of this id.' },
  409: { description: 'Its state does not allow this.' },
  500: { description: 'A defect of this build. `help` says where its log line is.' },
  503: {
    description: 'The database does not answer.',
    headers: { 'Retry-After': { type: 'integer', description: 'Seconds after which to try again.' } },
  },
}

/** The errors a route can answer, by status, for its `response`. */
export function problems<Status extends number>(...statuses: Status[]) {
  const content = { [PROBLEM_TYPE]: { schema: Problem } }
  const described = [...statuses, 500].map((status) => [status, { ...PROBLEMS[status], content }])
  return Object.fromEntries(described) as Record<Status | 500, { description: string; content: object }>
}

/** What JSON Schema cannot say: a NUL is refused, and an id's case does not matter. */
const ignoreActions = ['excludes', 'to_lower_case']

/** JSON Schema as OpenAPI 3.1 has it, named schemas as references into the document. */
export const JSON_SCHEMA = {
  target: 'draft-2020-12',
  definitions: NAMED_SCHEMAS,
  overrideRef: ({ referenceId }: { referenceId: string }) => `#/components/schemas/${referenceId}`,
} as const

/**
 * What goes over the wire, as JSON Schema. Parameters arrive as text: theirs is the schema of what that text
 * must spell, which is what Valibot puts out.
 */
export function jsonSchemaOf(schema: v.GenericSchema, part: 'request' | 'response'): object {
  const typeMode = part === 'request' ? 'output' : 'input'
  const { $schema: _, $defs: __, ...json } = toJsonSchema(schema, { ...JSON_SCHEMA, typeMode, ignoreActions })
  return json
}
