import type { ModelUse, Severity } from '../review.ts'

/** What a review counts. */
export interface Counts {
  /** What is open, all in all, and by severity, the worst first. */
  open: number
  severities: readonly { severity: Severity; count: number }[]
  new: number
  carried: number
  returned: number
  fixed: number
}

export interface FilesRead {
  changed: number
  reviewed: number
  secretsOnly: number
  unchanged: number
  /** A commit id, short, in Markdown; null where the whole change was read. */
  since: string | null
}

/**
 * Our own words in one language. Markdown, except where it says plain; what is passed in is safe to be put
 * there as it is.
 */
export interface Words {
  severity: Record<Severity, string>
  /** Plain, one line: what is open. */
  verdict(counts: Counts): string
  heading(range: string): string
  /** What is new, what is not, and what is settled. */
  progress(counts: Counts): string
  /** What a review says above its comments. */
  reviewBody(counts: Counts): string
  unplaced: string
  newFindings: string
  stillOpen: string
  returned: string
  fixed: string
  configProblems: string
  notReviewed: string
  more(count: number): string
  filesRead(files: FilesRead): string
  model(use: ModelUse, name: string): string
  commands(list: string): string
  fixedAt(commit: string): string
  /** Of a credential that the newest commit has no more. */
  stillInHistory: string
  returnedAt(commit: string, place: string): string
  /** Why a check fails; the severity as the configuration writes it. */
  failsFrom(severity: string): string
  /** Verdicts of pull requests that are not reviewed; the title is plain. */
  paused: { title: string; summary: string }
  waits: { title: string; summary: string }
}
