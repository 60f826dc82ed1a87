import type { Glob } from '../glob.ts'
import type { Severity } from '../review.ts'
import type { Language } from '../rules/rule.ts'

export const CONFIG_FILE = 'kodus-config.yml'

/** What a repository says about its own reviews, in `kodus-config.yml` on the base branch. */
export interface ReviewConfig {
  /** False: reviewed only when somebody asks for it by a command. */
  automatedReviewActive: boolean
  /** Whether drafts are reviewed without being asked. */
  runOnDraft: boolean
  /** Only these paths are reviewed; none: all. */
  paths: readonly Glob[]
  /** Paths that are not reviewed. */
  ignorePaths: readonly Glob[]
  /** A pull request whose title has one of these words in it is left alone. */
  ignoredTitleKeywords: readonly string[]
  /** Only pull requests that go to these branches (patterns) are reviewed; none: all. */
  baseBranches: readonly Glob[]
  /** The language that the review is written in: `en`, `pt-BR`, or any other that the model can write. */
  language: string
  /** What the model looks for. */
  reviewOptions: { bug: boolean; performance: boolean; security: boolean; businessLogic: boolean }
  /** Whether replacements are offered to be applied with one click. */
  enableCommittableSuggestions: boolean
  suggestionControl: {
    /** Findings below this severity are not shown. */
    severityLevelFilter: Severity
  }
  checks: {
    /** Findings from this severity on fail the check; null: none does. */
    failOn: Severity | null
  }
  /** ast-grep rules of the repository's own. */
  customRules: readonly CustomRule[]
  /** Rules in prose, handed to the model. */
  instructions: readonly { text: string; paths: readonly Glob[] }[]
}

/** An ast-grep rule of a repository's own, checked and bounded. */
export interface CustomRule {
  id: string
  languages: readonly Language[]
  severity: Severity
  /** What is wrong, in one line; why it hurts; what to do instead. */
  what: string
  why: string
  advice: string
  paths: readonly Glob[]
  /** ast-grep's rule object. */
  rule: Record<string, unknown>
}

export const defaultConfig: ReviewConfig = {
  automatedReviewActive: true,
  runOnDraft: false,
  paths: [],
  ignorePaths: [],
  ignoredTitleKeywords: [],
  baseBranches: [],
  language: 'en',
  reviewOptions: { bug: true, performance: true, security: true, businessLogic: true },
  enableCommittableSuggestions: true,
  suggestionControl: { severityLevelFilter: 'low' },
  checks: { failOn: null },
  customRules: [],
  instructions: [],
}
