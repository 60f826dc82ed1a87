import * as v from 'valibot'
import { cut } from '../printable.ts'
import { tooMuchToRead } from './custom-rule.ts'
import { unknownKey } from './unknown-key.ts'

type Schema = v.GenericSchema<unknown>

/** What could be used of a value, and what could not. */
export interface Read {
  /** Undefined where nothing could: its default applies. */
  value: unknown
  problems: string[]
}

/**
 * Reads one key by its definition, and takes what can be used: of a mapping the keys that fit, of a list the
 * elements that do.
 *
 * @param initial what applies where it says nothing that can be used
 */
export function readSetting(schema: Schema, value: unknown, name: string, initial: unknown): Read {
  if (isGroup(schema)) return readGroup(schema, value, name, initial)
  if (isList(schema)) return readList(schema, value, name)
  const read = readWhole(schema, value, name)
  return read.problems.length === 0 ? read : refused(read.problems, `${JSON.stringify(initial)} applies`)
}

function readGroup(schema: Group, value: unknown, name: string, initial: unknown): Read {
  if (!isMapping(value)) return refused([unexpected(name, 'expected a mapping', value)], 'the defaults apply')
  const used: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [key, inner] of Object.entries(value)) {
    const entry = Object.hasOwn(schema.entries, key) ? schema.entries[key] : undefined
    if (!entry) {
      problems.push(unknownKey(name, key, Object.keys(schema.entries)))
      continue
    }
    const initially = (initial as Record<string, unknown>)[key]
    const read = readSetting(entry, inner, `${name}.${key}`, initially)
    problems.push(...read.problems)
    if (read.value !== undefined) used[key] = read.value
  }
  return { value: used, problems }
}

function readList(schema: List, value: unknown, name: string): Read {
  if (!Array.isArray(value)) {
    return refused([unexpected(name, messageOfList(schema), value)], 'the default, none, applies')
  }
  const limit = maxLengthOf(schema)
  const problems: string[] = []
  const used: unknown[] = []
  for (const [index, element] of value.slice(0, limit).entries()) {
    const at = `${name}[${index}]`
    const tooMuch = tooMuchToRead(element)
    const read = tooMuch
      ? { value: undefined, problems: [`\`${at}\` ${tooMuch}`] }
      : readWhole(schema.item, element, at)
    problems.push(...(read.problems.length > 0 ? refused(read.problems, 'it is not used').problems : []))
    if (read.problems.length === 0) used.push(read.value)
  }
  if (value.length > limit) {
    problems.push(`\`${name}\`: more than ${limit} entries: those behind are not used`)
  }
  return { value: used, problems }
}

function readWhole(schema: Schema, value: unknown, name: string): Read {
  const parsed = v.safeParse(schema, value, { abortEarly: true })
  if (parsed.success) return { value: parsed.output, problems: [] }
  const [issue] = parsed.issues
  const path = v.getDotPath(issue)
  return {
    value: undefined,
    problems: [unexpected(path ? `${name}.${path}` : name, issue.message, issue.input)],
  }
}

function unexpected(name: string, expected: string, found: unknown): string {
  // What was found says nothing that the name does not where a key is refused, or missing.
  const shown = found === undefined || !expected.startsWith('expected') ? '' : `, not ${shownValue(found)}`
  return `\`${cut(name, 120)}\`: ${expected}${shown}`
}

function shownValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a mapping'
  if (typeof value === 'string' && value.length > 30) return 'this text'
  return value === null ? 'nothing' : String(JSON.stringify(value))
}

function refused(problems: readonly string[], consequence: string): Read {
  return { value: undefined, problems: problems.map((problem) => `${problem}; ${consequence}`) }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Group = Schema & { entries: Record<string, Schema> }
type List = Schema & {
  item: Schema
  message: string
  pipe: readonly { type: string; requirement?: number }[]
}

function isGroup(schema: Schema): schema is Group {
  return schema.type === 'strict_object'
}

function isList(schema: Schema): schema is List {
  return schema.type === 'array'
}

function messageOfList(schema: List): string {
  return schema.message
}

function maxLengthOf(schema: List): number {
  return schema.pipe.find((action) => action.type === 'max_length')?.requirement ?? Number.POSITIVE_INFINITY
}
