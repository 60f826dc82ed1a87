import assert from 'node:assert/strict'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** As much of an OpenAPI document as is needed to find the schema of an answer. */
export interface Document {
  openapi?: string
  paths?: Record<string, unknown>
  components?: { schemas?: Record<string, object> }
}

export interface Operation {
  operationId: string
  summary: string
  security?: unknown[]
  responses: Record<
    string,
    { description: string; content: Record<string, { schema: object; example?: unknown }> }
  >
}

/** The operation of a method and a concrete path, and the path it is declared under. */
export function findOperation(document: Document, method: string, path: string) {
  const pathname = path.split('?', 1)[0] ?? ''
  const declared = Object.keys(document.paths ?? {}).find((template) =>
    new RegExp(`^${template.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(pathname),
  )
  const item = declared && (document.paths?.[declared] as Record<string, Operation> | undefined)
  const operation = item ? item[method.toLowerCase()] : undefined
  return operation && { declared, operation }
}

/** Fails unless the route declares this status and content type, and the body is what it declares, no more. */
export function checkAnswer(
  document: Document,
  method: string,
  path: string,
  answer: { status: number; headers: Headers; body: unknown },
): void {
  const what = `${method} ${path} → ${answer.status}`
  const type = answer.headers.get('content-type')?.split(';')[0] ?? ''
  const found = findOperation(document, method, path)
  if (!found) {
    assert.equal(type, 'application/problem+json', what)
    assertValid(document, { $ref: '#/components/schemas/Problem' }, answer.body, what)
    return
  }
  const media = found.operation.responses[answer.status]?.content[type]
  assert.ok(media, `${what}: ${type} is not declared`)
  assertValid(document, media.schema, answer.body, what)
}

/** Fails unless the value is valid against the schema, and holds no property the schema does not name. */
export function assertValid(document: Document, schema: object, value: unknown, what: string): void {
  const ajv = new Ajv2020({ strict: true, strictTypes: false })
  formats.default(ajv)
  const components = { $id: 'api', $defs: document.components?.schemas }
  const inOneFile = JSON.parse(
    JSON.stringify([components, schema]).replaceAll('#/components/schemas/', 'api#/$defs/'),
    (_key, part) =>
      part?.type === 'object' && part.properties ? { additionalProperties: false, ...part } : part,
  )
  ajv.addSchema(inOneFile[0])
  const validate = ajv.compile(inOneFile[1])
  assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)}`)
}
