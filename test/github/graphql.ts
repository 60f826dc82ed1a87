import { readFileSync } from 'node:fs'
import { buildSchema, type DocumentNode, execute, type GraphQLSchema, Kind, parse, validate } from 'graphql'
import type { Actor } from './authenticate.ts'
import { GraphqlRefusal } from './graphql/refusal.ts'
import { createRoot } from './graphql/root.ts'
import { Refusal } from './refusal.ts'
import { violate } from './rest/answer.ts'
import type { Reply } from './rest/exchange.ts'
import type { Violation } from './types.ts'
import type { World } from './world.ts'

interface GraphqlBody {
  query?: string
  variables?: Record<string, unknown>
  operationName?: string
}

/** Reading GitHub's schema takes a quarter of a second: only who asks in GraphQL waits for it, once. */
const lazily: { schema?: GraphQLSchema } = {}

function githubSchema(): GraphQLSchema {
  if (!lazily.schema) {
    const idl = new URL('schema.graphql', import.meta.resolve('@octokit/graphql-schema'))
    const options = { assumeValid: true, assumeValidSDL: true, noLocation: true }
    lazily.schema = buildSchema(readFileSync(idl, 'utf8'), options)
  }
  return lazily.schema
}

/** Answers a GraphQL request. A document that GitHub's schema does not allow is a violation. */
export async function answerGraphql(
  world: World,
  violations: Violation[],
  actor: Actor,
  body: unknown,
): Promise<Reply> {
  if (actor.kind !== 'installation' && actor.kind !== 'user') {
    throw new Refusal(401, 'This endpoint requires you to be authenticated.')
  }
  const { query = '', variables, operationName: name } = (body ?? {}) as GraphqlBody
  const schema = githubSchema()
  const document = tryParse(query)
  const problems =
    typeof document === 'string' ? [document] : validate(schema, document).map(({ message }) => message)
  if (typeof document === 'string' || problems.length > 0) {
    return violate(violations, 'request', `POST /graphql ${operationName(body) ?? ''}`, problems)
  }
  const result = await execute({
    schema,
    document,
    rootValue: createRoot(world, actor),
    ...(variables && { variableValues: variables }),
    ...(name && { operationName: name }),
  })
  const errors = (result.errors ?? []).map((error) => {
    const { originalError, message, locations, path: at } = error
    if (originalError instanceof GraphqlRefusal) {
      return { type: originalError.type, path: at, locations, message, ...originalError.extra }
    }
    violations.push({ where: 'response', operation: `POST /graphql ${at?.join('.')}`, message })
    return { message, path: at, locations }
  })
  return {
    status: 200,
    body: { data: result.data ?? null, ...(errors.length > 0 && { errors }) },
  }
}

/** The operation's name, or its first field. */
export function operationName(body: unknown): string | undefined {
  const { query = '', operationName: name } = (body ?? {}) as GraphqlBody
  if (name) return name
  const document = tryParse(query)
  if (typeof document === 'string') return undefined
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    const [first] = definition.selectionSet.selections
    return definition.name?.value ?? (first?.kind === Kind.FIELD ? first.name.value : undefined)
  }
  return undefined
}

function tryParse(query: string): DocumentNode | string {
  try {
    return parse(query)
  } catch (error) {
    return String(error)
  }
}
