import { KodusError } from './errors.ts'

/**
 * One environment variable, described where it is read, so that the README's table can be tested against
 * the code. `secret` values are kept out of every message.
 */
export interface Variable {
  describe: string
  default?: string
  secret?: true
}

/** The variables one config module reads, by name. */
export type Variables = Record<string, Variable>

export type Environment = Readonly<Record<string, string | undefined>>

/** A value that is set and not blank, else the variable's default. */
export function text<V extends Variables>(env: Environment, variables: V, name: keyof V & string) {
  const value = env[name]?.trim()
  return value ? value : variables[name]?.default
}

/** A whole number between `min` and `max`, both included. */
export function integer<V extends Variables>(
  env: Environment,
  variables: V,
  name: keyof V & string,
  range: { min: number; max: number },
): number {
  const raw = text(env, variables, name)
  const value = Number(raw)
  if (raw !== undefined && Number.isInteger(value) && value >= range.min && value <= range.max) return value
  throw new KodusError('CONFIG_INVALID', `${name} is ${JSON.stringify(raw ?? '')}, which cannot be used.`, {
    help: `Set ${name} to a whole number from ${range.min} to ${range.max}.`,
  })
}

/** A value without which the component cannot start. */
export function required<V extends Variables>(
  env: Environment,
  variables: V,
  name: keyof V & string,
  help: string,
) {
  const value = text(env, variables, name)
  if (value !== undefined) return value
  throw new KodusError('CONFIG_MISSING', `${name} is not set.`, { help })
}
