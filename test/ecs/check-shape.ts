import * as ecr from '@aws-sdk/client-ecr'
import * as ecs from '@aws-sdk/client-ecs'
import * as ssm from '@aws-sdk/client-ssm'
import { NormalizedSchema } from '@smithy/core/schema'

const MODELS: Record<string, Record<string, unknown>> = { ecs: { ...ecs }, ssm: { ...ssm }, ecr: { ...ecr } }

/** The SDK's own descriptions of an operation: what goes in, and what comes out. */
export interface OperationShapes {
  input: NormalizedSchema
  output: NormalizedSchema
}

/** Undefined: the service has no such operation. */
export function shapesOf(service: string, operation: string): OperationShapes | undefined {
  // [kind, namespace, name, traits, input, output]
  const schema = MODELS[service]?.[`${operation}$`]
  if (!Array.isArray(schema)) return undefined
  const [, , , , input, output] = schema
  const normalized = (each: unknown) =>
    NormalizedSchema.of(
      (typeof each === 'function' ? each() : each) as Parameters<typeof NormalizedSchema.of>[0],
    )
  return { input: normalized(input), output: normalized(output) }
}

/**
 * What is wrong with a value by the service's description: members that do not exist or are missing, and wrong types. On
 * the wire, times are seconds.
 *
 * @param unheardOf members that the description does not know yet
 */
export function complaintsAbout(
  schema: NormalizedSchema,
  value: unknown,
  unheardOf: ReadonlySet<string> = new Set(),
  path = '',
): string[] {
  const say = (complaint: string) => [`${path || 'the request'} ${complaint}`]
  if (schema.isDocumentSchema()) return []
  if (schema.isStructSchema()) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return say('is no structure')
    const members = schema.getMemberSchemas()
    const missing = requiredOf(schema).filter((name) => !(name in value))
    return [
      ...missing.map((name) => `${path}.${name} is missing`),
      ...Object.entries(value).flatMap(([name, member]) => {
        const known = members[name]
        if (known) return complaintsAbout(known, member, unheardOf, `${path}.${name}`)
        return unheardOf.has(name) ? [] : [`${path}.${name} does not exist`]
      }),
    ]
  }
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) return say('is no list')
    const each = schema.getValueSchema()
    return value.flatMap((member, index) => complaintsAbout(each, member, unheardOf, `${path}[${index}]`))
  }
  if (schema.isMapSchema()) {
    if (typeof value !== 'object' || value === null) return say('is no map')
    const each = schema.getValueSchema()
    return Object.entries(value).flatMap(([name, member]) =>
      complaintsAbout(each, member, unheardOf, `${path}.${name}`),
    )
  }
  const expected =
    schema.isNumericSchema() || schema.isTimestampSchema()
      ? 'number'
      : schema.isBooleanSchema()
        ? 'boolean'
        : 'string'
  return typeof value === expected ? [] : say(`is no ${expected}`)
}

/** Required members come first in the SDK's tuple, and its last element says how many they are. */
function requiredOf(schema: NormalizedSchema): string[] {
  const [, , , , names, , required] = schema.getSchema() as unknown as [
    ...[unknown, unknown, unknown, unknown],
    string[],
    unknown,
    number?,
  ]
  return names.slice(0, required ?? 0)
}
