import * as v from 'valibot'
import { SEVERITIES } from '../review.ts'
import type { Language } from '../rules/rule.ts'

/** The languages that a custom rule can be for: those that the built-in rules read. */
const LANGUAGES = [
  'typescript',
  'tsx',
  'javascript',
  'python',
  'go',
  'java',
] as const satisfies readonly Language[]

/** A path pattern. What `parseGlob` refuses is said by it; the JSON schema says the same as an expression. */
export const PatternSchema = v.string('expected a pattern, as text')

/** Deeper, or of more conditions, a rule is no longer read by those who wrote it. */
const MAX_DEPTH = 16
const MAX_CONDITIONS = 100

/** Characters of a pattern or a regular expression. */
const MAX_SOURCE = 500

const SOURCE = `expected a text of 1 to ${MAX_SOURCE} characters`
const source = v.pipe(v.string(SOURCE), v.minLength(1, SOURCE), v.maxLength(MAX_SOURCE, SOURCE))

const PatternObject = v.strictObject(
  {
    context: source,
    selector: v.optional(source),
    strictness: v.optional(v.picklist(['cst', 'smart', 'ast', 'relaxed', 'signature'])),
  },
  'expected a text, or { context, selector, strictness }',
)

/** What may stand in a rule; `not supported` for the rest of ast-grep's own keys. */
const unsupported = (issue: v.StrictObjectIssue) =>
  issue.expected === 'never' ? 'not supported in a rule here' : 'expected a rule'

type Condition = Record<string, unknown>

const conditions: v.GenericSchema<Condition[]> = v.pipe(
  v.array(
    v.lazy(() => ConditionSchema),
    'expected a list of rules',
  ),
  v.minLength(1, 'expected a list of rules'),
)

const atoms = {
  pattern: v.optional(v.union([source, PatternObject], SOURCE)),
  kind: v.optional(source),
  regex: v.optional(source),
  any: v.optional(conditions),
  all: v.optional(conditions),
  not: v.optional(v.lazy((): v.GenericSchema<Condition> => ConditionSchema)),
  has: v.optional(v.lazy((): v.GenericSchema<Condition> => RelationSchema)),
  inside: v.optional(v.lazy((): v.GenericSchema<Condition> => RelationSchema)),
  follows: v.optional(v.lazy((): v.GenericSchema<Condition> => RelationSchema)),
  precedes: v.optional(v.lazy((): v.GenericSchema<Condition> => RelationSchema)),
}

/** ast-grep's rule object, without what refers to something outside of it (`matches`) or counts (`nthChild`). */
export const ConditionSchema: v.GenericSchema<Condition> = v.strictObject(atoms, unsupported)

export const RelationSchema: v.GenericSchema<Condition> = v.strictObject(
  {
    ...atoms,
    field: v.optional(source),
    stopBy: v.optional(
      v.union(
        [v.picklist(['end', 'neighbor']), v.lazy(() => ConditionSchema)],
        'expected end, neighbor or a rule',
      ),
    ),
  },
  unsupported,
)

const prose = (limit: number, description: string) => {
  const message = `expected a text of 1 to ${limit} characters`
  return v.pipe(
    v.string(message),
    v.regex(/\S/, message),
    v.maxLength(limit, message),
    v.description(description),
  )
}

const LANGUAGE = `expected one or some of ${LANGUAGES.join(', ')}`
const ID = 'expected a name of letters, digits and hyphens, of at most 60 characters'

export const CustomRuleSchema = v.strictObject(
  {
    id: v.pipe(
      v.string(ID),
      v.regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,59}$/, ID),
      v.description('Its name. Findings are reported as `custom/<id>`.'),
    ),
    language: v.pipe(
      v.union(
        [v.picklist(LANGUAGES), v.pipe(v.array(v.picklist(LANGUAGES)), v.minLength(1), v.maxLength(10))],
        LANGUAGE,
      ),
      v.description('The language of the files it reads, or several. `.tsx` files are `tsx`.'),
    ),
    severity: v.optional(
      v.pipe(
        v.picklist(SEVERITIES, `expected one of ${SEVERITIES.join(', ')}`),
        v.description('medium, where it is not said.'),
      ),
    ),
    what: prose(200, 'What is wrong, in one line.'),
    why: v.optional(prose(1_000, 'Why it hurts.')),
    advice: v.optional(prose(1_000, 'What to do instead.')),
    paths: v.optional(
      v.pipe(
        v.array(PatternSchema, 'expected a list of patterns'),
        v.maxLength(100, 'more than 100'),
        v.description('Only in files at these paths; none: in all.'),
      ),
    ),
    rule: v.pipe(
      v.lazy(() => ConditionSchema),
      v.description('An ast-grep rule: what a node of the syntax tree must look like.'),
    ),
  },
  'expected a rule, with id, language, what and rule',
)

/**
 * Why an element of a list is too much to be read, whatever it says: known before anything that recurses sees it.
 *
 * @returns undefined where it is not
 */
export function tooMuchToRead(element: unknown): string | undefined {
  const open = [{ value: element, depth: 0 }]
  let seen = 0
  for (let part = open.pop(); part; part = open.pop()) {
    const { value, depth } = part
    if (typeof value !== 'object' || value === null) continue
    if (++seen > MAX_CONDITIONS) return `has more than ${MAX_CONDITIONS} parts`
    if (depth > MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`
    for (const inner of Object.values(value)) open.push({ value: inner, depth: depth + 1 })
  }
  return undefined
}
