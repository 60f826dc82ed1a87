import type { FollowUp, InlineComment, PostableReview, Verdict } from '../forges/forge.ts'
import { openIn } from './earlier/open-findings.ts'
import { cut, printable } from './printable.ts'
import { atLeast, type Finding, type Review, SEVERITIES, type Wording } from './review.ts'
import { codeSpan, safeText } from './safe-text.ts'
import { summaryOf } from './summary.ts'
import { type Counts, type Words, wordsFor } from './words/index.ts'

const DEFAULT_WORDING: Wording = { language: 'en', failOn: null, suggestions: true }

/** A title is one line in a list of annotations: GitHub takes 255 characters. */
const MAX_TITLE = 200

/** A review in the words that its readers see: one summary, one comment a finding, one answer a settled one. */
export function postableReview(
  review: Review,
  { jobId, run }: { jobId: string; run: number },
): PostableReview & { summary: string } {
  const { language, failOn, suggestions } = review.wording ?? DEFAULT_WORDING
  const words = wordsFor(language)
  const counts = count(review)
  const summary = summaryOf(review, counts, words)
  return {
    jobId,
    run,
    head: review.head,
    body: words.reviewBody(counts),
    unplacedHeading: words.unplaced,
    comments: review.findings.map((finding) => inlineComment(finding, words, suggestions)),
    followUps: followUps(review, words),
    summary,
    verdict: { title: words.verdict(counts), ...verdict(review, failOn, summary, words) },
  }
}

function inlineComment(finding: Finding, words: Words, suggestions: boolean): InlineComment {
  const { id, path, line, endLine, severity, what, why, advice, rule, replacement } = finding
  const heading = `**${safeText(what)}** (${words.severity[severity]}, ${codeSpan(rule)})`
  return {
    id,
    path,
    line,
    endLine,
    severity,
    title: cut(printable(what), MAX_TITLE),
    body: [heading, safeText(why), safeText(advice)].filter(Boolean).join('\n\n'),
    ...(replacement === undefined || !suggestions ? {} : { replacement }),
  }
}

function followUps({ head, fixed, returned }: Review, words: Words): FollowUp[] {
  const commit = codeSpan(head.slice(0, 7))
  return [
    ...fixed.map(({ id, source }) => ({
      findingId: id,
      action: 'fixed' as const,
      body: [words.fixedAt(commit), ...(source === 'secret' ? [words.stillInHistory] : [])].join(' '),
    })),
    ...returned.map(({ id, path, line }) => ({
      findingId: id,
      action: 'returned' as const,
      body: words.returnedAt(commit, codeSpan(`${path}:${line}`)),
    })),
  ]
}

function count(review: Review): Counts {
  const open = openIn(review)
  return {
    open: open.length,
    severities: SEVERITIES.toReversed().flatMap((severity) => {
      const count = open.filter((finding) => finding.severity === severity).length
      return count > 0 ? [{ severity, count }] : []
    }),
    new: review.findings.length,
    carried: review.carried.length,
    returned: review.returned.length,
    fixed: review.fixed.length,
  }
}

/** A check that fails says first by which setting. */
function verdict(
  review: Review,
  failOn: Wording['failOn'],
  summary: string,
  words: Words,
): Pick<Verdict, 'conclusion' | 'summary'> {
  const open = openIn(review)
  if (failOn && open.some(({ severity }) => atLeast(severity, failOn))) {
    return { conclusion: 'failure', summary: `${words.failsFrom(codeSpan(failOn))}\n\n${summary}` }
  }
  return { conclusion: open.length === 0 ? 'success' : 'neutral', summary }
}
