import * as v from 'valibot'
import { SEVERITIES } from '../review.ts'
import { CustomRuleSchema, PatternSchema } from './custom-rule.ts'
import { defaultConfig } from './review-config.ts'

/**
 * Paths and patterns in one list. Kodus' own default file, which repositories carry along, has some 700. Matching
 * a path of the greatest length against this many of the worst patterns takes about a second.
 */
export const MAX_GLOBS = 1_000

const flag = (description: string) => v.pipe(v.boolean('expected true or false'), v.description(description))

const severity = (description: string) =>
  v.pipe(v.picklist(SEVERITIES, `expected one of ${SEVERITIES.join(', ')}`), v.description(description))

const patterns = (description: string, limit = MAX_GLOBS) =>
  v.pipe(
    v.array(PatternSchema, 'expected a list of patterns'),
    v.maxLength(limit, `more than ${limit}`),
    v.description(description),
  )

const KEYWORD = 'expected a text of 1 to 100 characters'

const InstructionText = v.pipe(
  v.string('expected a text'),
  v.regex(/\S/, 'expected a text'),
  v.maxLength(2_000, 'longer than 2000 characters'),
  v.description('What to look for, in plain words.'),
)

const InstructionSchema = v.union(
  [
    InstructionText,
    v.strictObject({
      text: InstructionText,
      paths: v.optional(patterns('Only for these paths; none: for all.', 20)),
    }),
  ],
  'expected a text of at most 2000 characters, or { text, paths }',
)

/**
 * Every key of `kodus-config.yml`: what may stand there, and what it means. The parser reads by these
 * definitions, and the JSON schema for editors is made from them. Each `message` says what was expected.
 */
export const KEYS = {
  version: v.pipe(
    v.union([v.string(), v.number()], 'expected a number or a text'),
    v.description('The version of the file. Kodus writes 2.0; it changes nothing here.'),
  ),
  automatedReviewActive: flag('false: pull requests are reviewed only when somebody writes `@kody review`.'),
  runOnDraft: flag('true: drafts are reviewed too, without being asked for.'),
  paths: patterns(
    'Only files at these paths are reviewed; none: all. `*` and `?` within a name, `**`, `{a,b}`.',
  ),
  ignorePaths: patterns('Files at these paths are not reviewed. `*` and `?` within a name, `**`, `{a,b}`.'),
  ignoredTitleKeywords: v.pipe(
    v.array(
      v.pipe(v.string(KEYWORD), v.regex(/\S/, KEYWORD), v.maxLength(100, KEYWORD)),
      'expected a list of texts',
    ),
    v.maxLength(100, 'more than 100'),
    v.description(
      'Pull requests with one of these words in their title are left alone. Case does not matter.',
    ),
  ),
  baseBranches: patterns(
    'Only pull requests into these branches are reviewed; none: all. `release/*`, `**`.',
  ),
  language: v.pipe(
    v.string('expected the name or the code of a language'),
    // It becomes part of a sentence to the model: a name, and no sentence of its own.
    v.regex(/^\p{L}[\p{L}\p{M} ()-]{0,39}$/u, 'expected the name or the code of a language'),
    v.description('The language that reviews are written in: `en`, `pt-BR`, `Japanese`.'),
  ),
  reviewOptions: v.pipe(
    v.strictObject(
      {
        bug: v.optional(flag('Wrong behaviour, lost data, races, broken error handling.')),
        performance: v.optional(flag('Waste that users will feel.')),
        security: v.optional(flag('Security holes.')),
        business_logic: v.optional(flag('Code that does not do what the change says it does.')),
      },
      'expected a mapping',
    ),
    v.description('What the model looks for. Rules and the scan for credentials are not affected.'),
  ),
  enableCommittableSuggestions: flag('false: no replacement is offered to be applied with one click.'),
  suggestionControl: v.pipe(
    v.strictObject(
      { severityLevelFilter: v.optional(severity('Findings below this severity are not shown.')) },
      'expected a mapping',
    ),
    v.description('Which findings are shown.'),
  ),
  checks: v.pipe(
    v.strictObject(
      { failOn: v.optional(v.nullable(severity('From this severity on. null: never.'))) },
      'expected a mapping',
    ),
    v.description(
      'When the check on a pull request fails. It never does because a review could not be made.',
    ),
  ),
  customRules: v.pipe(
    v.array(CustomRuleSchema, 'expected a list of rules'),
    v.maxLength(50, 'more than 50'),
    v.description('ast-grep rules of this repository.'),
  ),
  instructions: v.pipe(
    v.array(InstructionSchema, 'expected a list of texts'),
    v.maxLength(50, 'more than 50'),
    v.description('What the model is to look for besides, in plain words; 8000 characters in all.'),
  ),
}

export type Settings = { [Key in keyof typeof KEYS]?: v.InferOutput<(typeof KEYS)[Key]> }

/** What applies where the file says nothing, in the shape that the file has. */
export const DEFAULT_SETTINGS: Required<Settings> = {
  version: 1,
  automatedReviewActive: defaultConfig.automatedReviewActive,
  runOnDraft: defaultConfig.runOnDraft,
  paths: [],
  ignorePaths: [],
  ignoredTitleKeywords: [],
  baseBranches: [],
  language: defaultConfig.language,
  reviewOptions: {
    bug: defaultConfig.reviewOptions.bug,
    performance: defaultConfig.reviewOptions.performance,
    security: defaultConfig.reviewOptions.security,
    business_logic: defaultConfig.reviewOptions.businessLogic,
  },
  enableCommittableSuggestions: defaultConfig.enableCommittableSuggestions,
  suggestionControl: defaultConfig.suggestionControl,
  checks: defaultConfig.checks,
  customRules: [],
  instructions: [],
}
