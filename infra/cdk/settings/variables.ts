import { COMPONENT_ENVIRONMENT } from '../../ecs/component-environment.ts'
import { type Context, invalid, LOOKS, text } from './context.ts'

/** What the stores themselves settle. */
const OF_STORES = ['DATABASE_URL', 'RABBITMQ_URL']

/**
 * Variables of the components, given by their own names: `-c LLM_MODEL=…`. Those that are secret are given as the ARN of a secret,
 * never as the value.
 *
 * @throws SettingsError SETTING_INVALID
 */
export function readVariables(context: Context): {
  variables: Record<string, string>
  secrets: Record<string, string>
} {
  const told = Object.values(COMPONENT_ENVIRONMENT)
  const secretNames = new Set(told.flatMap(({ secrets }) => secrets))
  const names = new Set(told.flatMap(({ variables }) => variables))
  const read = (all: Set<string>, of: (name: string) => string | undefined) =>
    Object.fromEntries(
      [...all].flatMap((name) => {
        const value = OF_STORES.includes(name) ? undefined : of(name)
        return value === undefined ? [] : [[name, value] as const]
      }),
    )
  return {
    variables: read(names, (name) => text(context, name)),
    secrets: read(secretNames, (name) => secretArn(context, name)),
  }
}

/** The value that was given is not repeated: it may be the secret itself. */
function secretArn(context: Context, name: string): string | undefined {
  const arn = text(context, name)
  if (arn === undefined || LOOKS.secret.test(arn)) return arn
  throw invalid(name, 'is not the ARN of a secret', 'Store the value in Secrets Manager, and give its ARN.')
}
