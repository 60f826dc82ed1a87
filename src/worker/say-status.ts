import type { ReviewStatus, Verdict } from '../forges/forge.ts'
import type { ErrorReport } from '../lib/errors.ts'
import { cut, printable } from '../review/printable.ts'
import { codeSpan, safeText } from '../review/safe-text.ts'

/** Check runs are lists: what is longer is not read there. */
const MAX_TITLE = 120

const ASK_AGAIN = 'To have it reviewed again, comment `@kody review`.'

/** It failed and is tried again by itself. */
export function sayWaiting(error: ErrorReport, inMs: number): ReviewStatus {
  const reason = `${about(error)}\n\nNothing to do: it is tried again by itself in about ${roughly(inMs)}.`
  return { state: 'waiting', reason }
}

/** It failed for good: neutral, since the change was not found wanting, and never a success. */
export function sayFailed(error: ErrorReport): ReviewStatus {
  const title = cut(printable(`Not reviewed: ${error.message}`), MAX_TITLE)
  const summary = [
    'This change was **not** reviewed.',
    about(error),
    `What to do: ${safeText(error.help)}`,
    ASK_AGAIN,
  ].join('\n\n')
  return { state: 'ended', verdict: { conclusion: 'neutral', title, summary }, failed: true }
}

export function saySuperseded(reason = 'A newer commit came.'): ReviewStatus {
  return ended('Superseded', `This commit was not reviewed. ${safeText(reason)}`)
}

export function sayCancelled(reason?: string): ReviewStatus {
  const because = reason === undefined ? '' : `${safeText(reason)} `
  return ended('Cancelled', `This review was cancelled before it was posted. ${because}${ASK_AGAIN}`)
}

/** Its run has ended, and was asked for again: what comes of that has a display of its own. */
export function sayReplayed(): ReviewStatus {
  return ended('Begun anew', 'This review was asked for again, and is shown in a check of its own.')
}

/** @param verdict of the review that there is already; absent while it is being posted */
export function sayAlreadyReviewed(reason: string, verdict: Verdict | undefined): ReviewStatus {
  return verdict ? { state: 'ended', verdict } : ended('Reviewed by another job', safeText(reason))
}

/** It ended without a review, as it should. */
export function saySkipped({
  reason,
  verdict,
  waits,
}: {
  reason: string
  verdict: Verdict | null
  waits?: boolean
}): ReviewStatus {
  if (!verdict) return ended('Not reviewed', `${safeText(reason)}.\n\n${ASK_AGAIN}`)
  return { state: 'ended', verdict, ...(waits && { failed: true }) }
}

function ended(title: string, summary: string): ReviewStatus {
  return { state: 'ended', verdict: { conclusion: 'neutral', title, summary } }
}

function about(error: ErrorReport): string {
  return `${codeSpan(error.code)}: ${safeText(error.message)}`
}

function roughly(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return 'a minute'
  return minutes === 1 ? 'a minute' : `${minutes} minutes`
}
