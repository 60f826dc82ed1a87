import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import addFormats from 'ajv-formats'
import type { OpenApi, Operation, Parameter, Schema } from './compact-description.ts'

/** GitHub's description, put to use. Operations are named as in its documentation: `GET /repos/{owner}/{repo}`. */
export interface Description {
  /** The template of an operation that fits this method and path, whether or not it is served here. */
  find(method: string, path: string): string | undefined
  /** What is wrong with a request, in words; turns the values of its query and path into their types. */
  checkRequest(operation: string, request: CheckedRequest): string[]
  /** Adds what GitHub always answers with and nobody here cares about; then says what is wrong with it. */
  completeResponse(operation: string, status: number, body: unknown): { body: unknown; problems: string[] }
  /** An object in the form of a schema that GitHub names, such as `pull-request`. */
  complete(schema: string, value: unknown): unknown
}

export interface CheckedRequest {
  params: Record<string, unknown>
  query: Record<string, unknown>
  body: unknown
}

const ID = 'github'

export function createDescription(api: OpenApi): Description {
  const options = { strict: false, logger: false, inlineRefs: false, validateSchema: false } as const
  const exact = new Ajv(options)
  const coercing = new Ajv({ ...options, coerceTypes: 'array' })
  addFormats.default(exact)
  addFormats.default(coercing)
  exact.addSchema(api, ID)
  coercing.addSchema(api, ID)

  const validators = new Map<string, ValidateFunction>()
  const validator = (key: string, make: () => ValidateFunction) => {
    const known = validators.get(key) ?? make()
    validators.set(key, known)
    return known
  }

  const templates = Object.entries(api.paths).flatMap(([template, methods]) =>
    Object.keys(methods).map((method) => ({
      operation: `${method.toUpperCase()} ${template}`,
      pattern: new RegExp(
        `^${method.toUpperCase()} ${template.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+')}$`,
      ),
    })),
  )

  const lookUp = (operation: string): { found: Operation; pointer: string } => {
    const [method = '', template = ''] = operation.split(' ')
    const found = api.paths[template]?.[method.toLowerCase()]
    if (!found) throw new Error(`GitHub describes no ${operation}`)
    return { found, pointer: `${ID}#/paths/${escapePointer(template)}/${method.toLowerCase()}` }
  }

  const parameters = (operation: Operation): Parameter[] =>
    (operation.parameters ?? []).map((parameter) =>
      '$ref' in parameter ? (dereference(api, parameter.$ref) as Parameter) : parameter,
    )

  const checkParameters = (operation: string, place: 'path' | 'query', values: Record<string, unknown>) => {
    const validate = validator(`${operation} ${place}`, () => {
      const here = parameters(lookUp(operation).found).filter((parameter) => parameter.in === place)
      return coercing.compile({
        type: 'object',
        properties: Object.fromEntries(here.map(({ name, schema }) => [name, absolute(schema)])),
        required: here.filter(({ required }) => required).map(({ name }) => name),
        additionalProperties: false,
      })
    })
    return validate(values) ? [] : explain(place, validate.errors)
  }

  const checkBody = (operation: string, body: unknown): string[] => {
    const { found, pointer } = lookUp(operation)
    const schema = found.requestBody?.content?.['application/json']?.schema
    if (!schema) return body === undefined || isEmpty(body) ? [] : [`${operation} has no body`]
    if (body === undefined) return found.requestBody?.required ? ['the body is missing'] : []
    const validate = validator(`${operation} body`, () =>
      exact.compile({ $ref: `${pointer}/requestBody/content/application~1json/schema` }),
    )
    return validate(body) ? [] : explain('body', validate.errors)
  }

  const responseSchema = (operation: string, status: number): Schema | undefined => {
    const response = lookUp(operation).found.responses[status]
    if (!response) return undefined
    const resolved = '$ref' in response ? (dereference(api, response.$ref) as typeof response) : response
    return 'content' in resolved ? resolved.content?.['application/json']?.schema : undefined
  }

  return {
    find: (method, path) => templates.find(({ pattern }) => pattern.test(`${method} ${path}`))?.operation,
    checkRequest: (operation, { params, query, body }) => [
      ...checkParameters(operation, 'path', params),
      ...checkParameters(operation, 'query', query),
      ...checkBody(operation, body),
    ],
    completeResponse(operation, status, body) {
      const { responses } = lookUp(operation).found
      const schema = responseSchema(operation, status)
      // GitHub documents few of its errors; a success that it does not document is a mistake of ours.
      if (!schema) {
        const documented = String(status) in responses || status >= 400 || status === 304
        return { body, problems: documented ? [] : [`${operation} never answers ${status}`] }
      }
      const completed = fill(api, schema, body)
      const validate = validator(`${operation} ${status}`, () => exact.compile(absolute(schema)))
      return { body: completed, problems: validate(completed) ? [] : explain('answer', validate.errors) }
    },
    complete: (name, value) => fill(api, { $ref: `#/components/schemas/${name}` }, value),
  }
}

/** Adds the properties that a schema requires and a value lacks, in their plainest form. */
function fill(api: OpenApi, schema: Schema, value: unknown): unknown {
  const resolved = resolve(api, schema)
  if (Array.isArray(value)) {
    const { items } = resolved
    return items ? value.map((each) => fill(api, items, each)) : value
  }
  if (typeof value !== 'object' || value === null) return value
  if (resolved.allOf) return resolved.allOf.reduce<unknown>((whole, part) => fill(api, part, whole), value)
  const branch = objectSchema(api, resolved, Object.keys(value))
  if (!branch?.properties) return value
  const filled: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(branch.properties)) {
    const present = (value as Record<string, unknown>)[name]
    if (present !== undefined) filled[name] = fill(api, property, present)
    else if (branch.required?.includes(name)) filled[name] = plainest(api, property)
  }
  return { ...value, ...filled }
}

/** Of several forms that an object may have, the first one that knows all of its properties. */
function objectSchema(api: OpenApi, schema: Schema, names: string[]): Schema | undefined {
  const forms = schema.anyOf ?? schema.oneOf
  if (schema.properties || !forms) return schema
  const objects = forms
    .map((form) => objectSchema(api, resolve(api, form), names))
    .filter((form) => form?.properties)
  return objects.find((form) => names.every((name) => name in (form?.properties ?? {}))) ?? objects[0]
}

function plainest(api: OpenApi, schema: Schema): unknown {
  const resolved = resolve(api, schema)
  const { type, enum: values, anyOf, oneOf } = resolved
  if (Array.isArray(type) && type.includes('null')) return null
  if (values) return values[0]
  const forms = anyOf ?? oneOf
  if (forms && !resolved.properties) {
    const plain = forms.map((form) => plainest(api, form))
    return plain.includes(null) ? null : plain[0]
  }
  switch (Array.isArray(type) ? type[0] : type) {
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    case 'string':
      if (resolved.format === 'uri') return 'http://github.example/not-modelled'
      return resolved.format === 'date-time' ? '2020-01-01T00:00:00Z' : ''
    default:
      return fill(api, resolved, {})
  }
}

function resolve(api: OpenApi, schema: Schema): Schema {
  return schema.$ref ? resolve(api, dereference(api, schema.$ref) as Schema) : schema
}

function dereference(api: OpenApi, reference: string): unknown {
  const names = reference.slice(2).split('/').map(unescapePointer)
  return names.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], api)
}

/** A schema that stands alone, and still refers to the description's components. */
function absolute(schema: Schema): Schema {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    key === '$ref' && typeof value === 'string' && value.startsWith('#') ? ID + value : value,
  )
}

function explain(what: string, errors: ErrorObject[] | null | undefined): string[] {
  return (errors ?? []).map(({ instancePath, message, params }) =>
    `${what}${instancePath} ${message} ${JSON.stringify(params)}`.trim(),
  )
}

function isEmpty(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Object.keys(body).length === 0
}

function escapePointer(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'))
}

function unescapePointer(text: string): string {
  return decodeURIComponent(text).replaceAll('~1', '/').replaceAll('~0', '~')
}
