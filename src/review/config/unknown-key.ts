import { cut } from '../printable.ts'

/** Kodus' keys that mean nothing here, and what to use instead, where there is something. */
const KODUS_KEYS: Readonly<Record<string, string>> = {
  byokConfig: '',
  codeReviewVersion: '',
  customMessages: '',
  ideRulesSyncEnabled: '',
  isRequestChangesActive: 'use `checks.failOn`',
  kodusConfigFileOverridesWebPreferences: 'this file is the only place for settings',
  kodyRules: 'use `customRules` or `instructions`',
  kodyRulesGeneratorEnabled: '',
  languageResultPrompt: 'use `language`',
  llmProvider: '',
  pullRequestApprovalActive: '',
  reviewCadence: 'use `automatedReviewActive`, and `@kody pause`',
  reviewMode: '',
  showStatusFeedback: '',
  summary: '',
  v2PromptOverrides: 'use `instructions`',
  'reviewOptions.breaking_changes': 'use `instructions`',
  'reviewOptions.code_style': 'use `customRules` or `instructions`',
  'reviewOptions.cross_file': '',
  'reviewOptions.documentation_and_comments': 'use `instructions`',
  'reviewOptions.error_handling': 'it is part of `bug`',
  'reviewOptions.kody_rules': 'use `customRules` or `instructions`',
  'reviewOptions.maintainability': 'use `instructions`',
  'reviewOptions.performance_and_optimization': 'use `performance`',
  'reviewOptions.potential_issues': 'use `bug`',
  'reviewOptions.refactoring': 'use `instructions`',
  'suggestionControl.applyFiltersToKodyRules': '',
  'suggestionControl.groupingMode': '',
  'suggestionControl.limitationType': '',
  'suggestionControl.maxSuggestions': '',
  'suggestionControl.severityLimits': '',
}

/** More letters apart, two names are not a typo of each other. */
const MAX_DISTANCE = 3

/**
 * What to say of a key that nothing reads.
 *
 * @param group the key it stands in; empty at the top
 * @param known the keys that are read there
 */
export function unknownKey(group: string, name: string, known: readonly string[]): string {
  const prefix = group === '' ? '' : `${group}.`
  const shown = `\`${prefix}${cut(name, 100)}\``
  const kodus = Object.hasOwn(KODUS_KEYS, prefix + name) ? KODUS_KEYS[prefix + name] : undefined
  if (kodus !== undefined) {
    return `${shown} is known from Kodus and not supported here${kodus ? `: ${kodus}` : ''}`
  }
  const close = closest(name, known)
  return close ? `unknown key ${shown}: did you mean \`${prefix}${close}\`?` : `unknown key ${shown}`
}

function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length < 3 || name.length > 60) return undefined
  const [nearest] = known
    .map((key) => ({ key, distance: distance(plain(name), plain(key)) }))
    .sort((a, b) => a.distance - b.distance)
  return nearest && nearest.distance <= Math.min(MAX_DISTANCE, name.length / 3) ? nearest.key : undefined
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '')
}

/** Levenshtein's: how many letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same))
    }
    row = next
  }
  return row[b.length] ?? 0
}
