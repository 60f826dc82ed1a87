import type { KodusError } from '../lib/errors.ts'
import { codeSpan, safeText } from '../review/safe-text.ts'

// No line of these begins as a command does: with a token, our own comments are a person's to the forge.

const HELP = `- \`@kody review\` reviews the newest commit; with \`--force\`, all of it, and although it was reviewed before.
- \`@kody pause\` stops automatic reviews of this pull request until \`@kody resume\`. \`@kody review\` still works.
- \`@kody ignore\` stops them and cancels the one under way. In one of my threads, it dismisses that finding.
- \`@kody help\` shows this.

Each stands at the beginning of a line, with nothing else on it. I listen to people who may write to this repository.`

export function sayHelp(): string {
  return `What you can tell me here:\n\n${HELP}`
}

export function sayUnknown(): string {
  return `I did not understand that, and did nothing. What you can tell me here:\n\n${HELP}`
}

export function sayNotAWriter(): string {
  return 'I take commands from people who may write to this repository, so I did nothing. One of them can ask me instead.'
}

export function sayNotOpen(state: 'closed' | 'merged'): string {
  return `This pull request is ${state}, so there is nothing to review.`
}

export function sayReviewedBefore(head: string): string {
  return `I have reviewed ${codeSpan(head.slice(0, 7))} already, and nothing was pushed since. To have all of it reviewed again: \`@kody review --force\`.`
}

export function sayPaused(): string {
  return 'Paused: I review this pull request only when asked by `@kody review`, until `@kody resume`.'
}

export function sayIgnored(): string {
  return 'I leave this pull request alone. `@kody resume` brings me back.'
}

export function sayResumed(reviewing: boolean): string {
  return reviewing
    ? 'Automatic reviews are on again. The newest commit is being reviewed.'
    : 'Automatic reviews are on again.'
}

export function sayDismissed(): string {
  return 'Dismissed: I will not raise this finding again in this pull request. Check and summary follow.'
}

export function sayNotOurThread(): string {
  return 'This thread is not about a finding of mine, so I did nothing. To have me leave the whole pull request alone, say it in the conversation.'
}

export function sayCommandFailed(error: KodusError): string {
  return `I could not do that.\n\n${codeSpan(error.code)}: ${safeText(error.message)}\n\nWhat to do: ${safeText(error.help)}`
}
