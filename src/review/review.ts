export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const

/** `critical`: do not merge. `high`: a bug. `medium`: will hurt later. `low`: worth knowing. */
export type Severity = (typeof SEVERITIES)[number]

/** One thing a reviewer says, at lines of a file at head that the change touched. */
export interface Finding {
  /** Stable across runs while the code in question stays the same: hash of rule, path and the lines' text. */
  id: string
  source: 'rule' | 'secret' | 'model'
  /** `typescript/async-foreach`, `secret/aws`, `model/bug`. */
  rule: string
  path: string
  /** 1-based, both included. */
  line: number
  endLine: number
  severity: Severity
  /** What is wrong, in one line. */
  what: string
  /** Why it hurts, in a sentence or two. */
  why: string
  /** What to do instead. */
  advice: string
  /** Complete text for lines `line` to `endLine`, only where applying it is safe. */
  replacement?: string
}

/** Something that was not looked at, or not fully, and why: silence would read as approval. */
export interface Note {
  about: string
  reason: string
}

/** What the model did, or why it did nothing. */
export type ModelUse =
  | { used: false; reason: string }
  | { used: true; model: string; requests: number; inputTokens: number; outputTokens: number }

export interface Review {
  base: string
  head: string
  /** `reviewed`: read by rules or a model. `secretsOnly`: scanned for credentials, and read by nothing else. */
  files: { changed: number; reviewed: number; secretsOnly: number }
  findings: Finding[]
  notes: Note[]
  model: ModelUse
}

export function atLeast(severity: Severity, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(threshold)
}
