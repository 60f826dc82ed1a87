import { SettingsError } from './settings-error.ts'

/** What `-c name=value` and cdk.json give, and which of it was never asked for. */
export interface Context {
  value(name: string): unknown
  unread(): string[]
  /** All that was asked for, given or not. */
  known(): string[]
}

export function openContext(given: Readonly<Record<string, unknown>>): Context {
  const read = new Set<string>()
  return {
    value: (name) => {
      read.add(name)
      return given[name]
    },
    // With a colon or an @ it is CDK's own.
    unread: () => Object.keys(given).filter((name) => !read.has(name) && !/[:@]/.test(name)),
    known: () => [...read].sort(),
  }
}

/** @throws SettingsError SETTING_INVALID, as all functions below do */
export function text(context: Context, name: string): string | undefined {
  const value = context.value(name)
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw invalid(name, 'is neither a text nor a number', `Give it as -c ${name}=…`)
}

export function matching(context: Context, name: string, pattern: RegExp, what: string): string | undefined {
  const value = text(context, name)
  if (value !== undefined && !pattern.test(value)) {
    throw invalid(name, `is not ${what}: ${value}`, `Give ${what}.`)
  }
  return value
}

/** One of the values; the first where none is given. */
export function oneOf<const Value extends string>(
  context: Context,
  name: string,
  values: readonly [Value, ...Value[]],
): Value {
  const value = text(context, name) ?? values[0]
  const found = values.find((each) => each === value)
  if (found === undefined) {
    throw invalid(name, `cannot be ${value}`, `It is one of ${values.join(', ')}; without it, ${values[0]}.`)
  }
  return found
}

export function list(context: Context, name: string, pattern: RegExp, what: string): string[] {
  const values = (text(context, name) ?? '').split(',').flatMap((value) => value.trim() || [])
  const strange = values.find((value) => !pattern.test(value))
  if (strange !== undefined)
    throw invalid(name, `has ${strange} in it, which is not ${what}`, `Give ${what}, with commas.`)
  return values
}

export function integer(
  context: Context,
  name: string,
  { min, max }: { min: number; max: number },
): number | undefined {
  const value = text(context, name)
  if (value === undefined) return undefined
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw invalid(name, `is ${value}`, `Give a whole number from ${min} to ${max}.`)
  }
  return number
}

export function invalid(name: string, what: string, help: string): SettingsError {
  return new SettingsError('SETTING_INVALID', `The setting ${name} ${what}.`, help)
}

/** What names in AWS look like. */
export const LOOKS = {
  secret:
    /^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}(:[^:]*:[^:]*:[^:]*)?$/,
  certificate: /^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate\/.+/,
  cidr: /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/,
  domain: /^([a-z0-9-]+\.)+[a-z]{2,}$/,
  securityGroup: /^sg-([0-9a-f]{8}|[0-9a-f]{17})$/,
  region: /^[a-z]{2}(-[a-z]+)+-\d$/,
  zone: /^[a-z]{2}(-[a-z]+)+-\d[a-z]$/,
} as const
