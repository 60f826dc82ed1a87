import * as v from 'valibot'
import { parseDocument } from 'yaml'
import { SEVERITIES } from './review.ts'

export const CONFIG_FILE = 'kodus-config.yml'

/** What a repository says about its own reviews, in `kodus-config.yml` on the base branch. */
const ReviewConfigSchema = v.object({
  version: v.optional(v.union([v.string(), v.number()])),
  /** Glob patterns of paths that are not reviewed. */
  ignorePaths: v.optional(v.array(v.string()), []),
  suggestionControl: v.optional(
    v.object({
      /** Findings below this severity are not shown. */
      severityLevelFilter: v.optional(v.picklist(SEVERITIES), 'low'),
    }),
    {},
  ),
})

export type ReviewConfig = v.InferOutput<typeof ReviewConfigSchema>

export const defaultConfig: ReviewConfig = v.parse(ReviewConfigSchema, {})

/**
 * Reads a configuration file. What cannot be used is named and left at its default: a typo must neither
 * stop the review nor vanish.
 */
export function parseReviewConfig(text: string): { config: ReviewConfig; problems: string[] } {
  const document = parseDocument(text)
  if (document.errors.length > 0) {
    const [error] = document.errors
    return { config: defaultConfig, problems: [`not valid YAML: ${error?.message.split('\n')[0]}`] }
  }
  // maxAliasCount bounds what a few bytes of anchors can grow to.
  const raw: unknown = document.toJS({ maxAliasCount: 100 }) ?? {}
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { config: defaultConfig, problems: ['not a mapping of keys to values'] }
  }
  return readKeys(raw as Record<string, unknown>)
}

function readKeys(raw: Record<string, unknown>): { config: ReviewConfig; problems: string[] } {
  const problems: string[] = []
  const usable: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(raw)) {
    if (!Object.hasOwn(ReviewConfigSchema.entries, key)) {
      problems.push(`unknown key \`${key}\``)
      continue
    }
    const result = v.safeParse(v.partial(ReviewConfigSchema), { [key]: value })
    if (result.success) usable[key] = value
    else problems.push(`\`${v.getDotPath(result.issues[0]) ?? key}\`: ${result.issues[0].message}`)
  }
  return { config: v.parse(ReviewConfigSchema, usable), problems }
}
