import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { ConditionSchema, PatternSchema, RelationSchema } from './custom-rule.ts'
import { DEFAULT_SETTINGS, KEYS } from './keys.ts'
import { CONFIG_FILE } from './review-config.ts'

/** What `parseGlob` takes, as far as an expression can tell. */
const PATTERN = '^(?!!)(?!.*(^|/)\\.{0,2}(/|$))[^\\[\\]()\\\\]+$'

/** The JSON schema (draft 7) of the configuration file, from the definitions that the parser reads by. */
export function configJsonSchema(): Record<string, unknown> {
  const entries = Object.entries(KEYS).map(([name, schema]) => [
    name,
    v.optional(schema as v.GenericSchema<unknown>, DEFAULT_SETTINGS[name as keyof typeof KEYS]),
  ])
  const schema = toJsonSchema(v.strictObject(Object.fromEntries(entries)), {
    definitions: { condition: ConditionSchema, relation: RelationSchema },
    overrideSchema: ({ valibotSchema, jsonSchema }) =>
      valibotSchema === PatternSchema
        ? { ...jsonSchema, minLength: 1, maxLength: 200, pattern: PATTERN }
        : undefined,
    // Every reader of JSON schemas compiles expressions with the flag `u`, and so do we.
    overrideAction: ({ valibotAction: action, jsonSchema }) =>
      action.type === 'regex' ? { ...jsonSchema, pattern: sourceOf(action) } : undefined,
  })
  return {
    ...schema,
    // An empty file, or one of comments.
    type: ['object', 'null'],
    title: CONFIG_FILE,
    description: 'What a repository says about its own reviews. It is read from the base branch.',
  }
}

function sourceOf(action: { type: string; requirement?: unknown }): string {
  return action.requirement instanceof RegExp ? action.requirement.source : ''
}
