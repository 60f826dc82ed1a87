import type { Finding, Severity } from '../../review/review.ts'

/** What a format knows of a rule; a rule of the product has all of it. */
export interface RuleFacts {
  id: string
  severity: Severity
  what: string
  why: string
  advice: string
}

export interface FormatContext {
  /** URL, path or `owner/name`. */
  repository: string
  title?: string
  /** Whether colour reaches a terminal; only the text format uses it. */
  color: boolean
  /** The rules that could have found something; SARIF lists them. */
  rules?: readonly RuleFacts[]
  /** The lines that a finding is about, as they stand at head, to show what a replacement replaces. */
  original?: (finding: Finding) => string | undefined
}
