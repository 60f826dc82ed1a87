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
  /** The head that the last review of this pull request saw: only what changed since then was read. */
  since: string | null
  /**
   * `reviewed`: read by rules or a model. `secretsOnly`: scanned for credentials, and read by nothing else.
   * `unchanged`: read by an earlier review, and not changed since; absent: none.
   */
  files: { changed: number; reviewed: number; secretsOnly: number; unchanged?: number }
  /** Said by this review. */
  findings: Finding[]
  /** Said by earlier reviews and still true, at their places in this head: not said again. */
  carried: Finding[]
  /** Said by earlier reviews; the code is gone. */
  fixed: Finding[]
  /** Said by earlier reviews, gone meanwhile, and back. */
  returned: Finding[]
  /** Said by earlier reviews, and people told us to forget it: not said again, and not counted. */
  forgotten?: Finding[]
  notes: Note[]
  model: ModelUse
  /** Bytes of packs that were fetched to read the change. */
  fetchedBytes: number
  /** The branch that the change wanted to go to: with another one, other lines are the change's. */
  baseBranch?: string
  /** Paths of files that no review has read yet, or not fully: the next one does, changed or not. */
  unread?: string[]
  /** Paths of files that a model was to read, and did not, or not whole: said for as long as they stay as they are. */
  unreadByModel?: string[]
  /**
   * The id that an analysis gives a finding, to the id under which it was said, where the two differ: its code
   * was edited, or stands below a copy of itself. All that is known since the first review.
   */
  aliases?: Record<string, string>
  /** What of the configuration its words depend on; absent: the defaults. */
  wording?: Wording
}

export interface Wording {
  /** As in the configuration. */
  language: string
  /** Findings from this severity on fail the check; null: none does. */
  failOn: Severity | null
  /** Whether replacements are offered to be applied with one click. */
  suggestions: boolean
}

export function atLeast(severity: Severity, threshold: Severity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(threshold)
}
