import { printableCode } from '../../review/printable.ts'
import type { Finding, Review } from '../../review/review.ts'
import { codeBlock, codeSpan, safeText } from '../../review/safe-text.ts'
import type { FormatContext } from './context.ts'
import { describeModelUse, summarize } from './summary.ts'

/** For pasting into a pull request. What a repository or a model wrote is shown there, and does nothing. */
export function markdownFormat(review: Review, { repository, title }: FormatContext): string {
  const blocks = [
    title ? `## Review: ${safeText(title)}` : '## Review',
    `**${summarize(review)}**, ${codeSpan(repository)} at ${codeSpan(review.head.slice(0, 12))}.`,
    ...review.findings.map(describe),
  ]
  if (review.notes.length > 0) {
    const notes = review.notes.map(({ about, reason }) => `- ${codeSpan(about)}: ${safeText(reason)}`)
    blocks.push('### Not reviewed, or not fully', notes.join('\n'))
  }
  blocks.push(`Model: ${safeText(describeModelUse(review.model))}.`)
  return blocks.join('\n\n')
}

function describe({ path, line, endLine, severity, what, why, advice, rule, replacement }: Finding): string {
  const place = line === endLine ? `${path}:${line}` : `${path}:${line}-${endLine}`
  const blocks = [
    `### ${severity}: ${safeText(what)}`,
    `${codeSpan(place)} ${codeSpan(rule)}`,
    safeText(why),
    `**Instead:** ${safeText(advice)}`,
  ]
  if (replacement !== undefined) blocks.push(codeBlock('suggestion', printableCode(replacement)))
  return blocks.join('\n\n')
}
