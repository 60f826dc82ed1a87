/** A JSON schema, as far as it is looked at here. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  nullable?: boolean
  additionalProperties?: boolean | Schema
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Schema
}

interface Content {
  content?: Record<string, { schema: Schema }>
}

export interface Operation {
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: Content & { required?: boolean }
  responses: Record<string, Content | { $ref: string }>
}

export interface OpenApi {
  paths: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, Schema>
    parameters: Record<string, Parameter>
    responses: Record<string, Content>
  }
}

/** Only text for people; and what ajv does not know. */
const PROSE = new Set(['description', 'summary', 'example', 'examples', 'externalDocs', 'tags', 'title'])
const NAMED = new Set(['properties', 'schemas', 'parameters', 'responses', 'paths', 'content'])

/**
 * Where the description says that a value is never null, and GitHub's answers have null: for the comments whose
 * lines are no longer in the diff (github/rest-api-description issue 5568).
 */
const NULL_IN_FACT: Record<string, string[]> = {
  'pull-request-review-comment': ['position', 'line'],
  'review-comment': ['line'],
}

/** Errors carry their status since API version 2022-11-28, which the description does not say of these. */
const STATUS_IN_FACT = ['validation-error', 'validation-error-simple']

/**
 * GitHub's description without its prose, in JSON Schema's words instead of OpenAPI 3.0's (`nullable`), and
 * closed: what it does not name is not allowed.
 */
export function compact(whole: OpenApi): OpenApi {
  const { paths, components } = strip(whole, false) as OpenApi
  const { schemas, parameters, responses } = components
  for (const [name, properties] of Object.entries(NULL_IN_FACT)) {
    for (const property of properties) {
      const schema = schemas[name]?.properties?.[property]
      if (!schema) throw new Error(`${name}.${property} is gone from GitHub's description`)
      schema.type = [schema.type as string, 'null']
    }
  }
  for (const name of STATUS_IN_FACT)
    Object.assign(schemas[name]?.properties ?? {}, { status: { type: 'string' } })
  listInstallationsAsShown(paths)
  openParts({ paths, components })
  return { paths, components: { schemas, parameters, responses } }
}

/**
 * The list of installations is described apart from a single one, as older, and with accounts that are a user
 * and an enterprise at once. GitHub lists what it shows.
 */
function listInstallationsAsShown(paths: OpenApi['paths']): void {
  const response = paths['/app/installations']?.get?.responses[200]
  const schema = response && 'content' in response && response.content?.['application/json']?.schema
  if (!schema) throw new Error("the list of installations is gone from GitHub's description")
  schema.items = { $ref: '#/components/schemas/installation' }
}

/** Where an object fulfils several schemas together, each of them names but a part of its properties. */
function openParts(api: OpenApi): void {
  const parts: Schema[] = []
  JSON.stringify(api, (key, value) => {
    if (key === 'allOf' && value.length > 1) parts.push(...value)
    return value
  })
  for (const part of parts) {
    const name = part.$ref?.split('/').at(-1)
    delete (name === undefined ? part : api.components.schemas[name])?.additionalProperties
  }
}

function strip(node: unknown, isMap: boolean): unknown {
  if (Array.isArray(node)) return node.map((each) => strip(each, false))
  if (typeof node !== 'object' || node === null) return node
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(node)) {
    if (!isMap && (PROSE.has(key) || key.startsWith('x-'))) continue
    const holdsNames = !isMap && NAMED.has(key)
    kept[key] = key === 'enum' && !isMap ? value : strip(value, holdsNames)
  }
  return isMap ? kept : close(allowNull(kept as Schema))
}

function allowNull(schema: Schema): Schema {
  const { nullable, ...rest } = schema
  if (nullable !== true) return rest
  if (rest.enum) return { anyOf: [rest, { type: 'null' }] }
  if (typeof rest.type === 'string' && !rest.anyOf && !rest.oneOf && !rest.allOf) {
    return { ...rest, type: [rest.type, 'null'] }
  }
  return { anyOf: [rest, { type: 'null' }] }
}

/** An object may have no property but those named, where all of them are named in one place. */
function close(schema: Schema): Schema {
  const { properties, allOf, anyOf, oneOf, additionalProperties } = schema
  if (!properties || allOf || additionalProperties !== undefined) return schema
  const named = [...(anyOf ?? []), ...(oneOf ?? [])].flatMap((branch) => Object.keys(branch.properties ?? {}))
  return named.every((name) => name in properties) ? { ...schema, additionalProperties: false } : schema
}
