import type { PostableReview } from '../forges/forge.ts'
import type { Finding, Review } from './review.ts'
import { codeSpan, safeText } from './safe-text.ts'

/** A review in the words that its readers see: one summary, one comment a finding. */
export function postableReview(
  review: Review,
  { jobId, run }: { jobId: string; run: number },
): PostableReview {
  return {
    jobId,
    run,
    head: review.head,
    summary: summary(review),
    comments: review.findings.map((finding) => ({
      path: finding.path,
      line: finding.line,
      endLine: finding.endLine,
      body: comment(finding),
      ...(finding.replacement === undefined ? {} : { replacement: finding.replacement }),
    })),
  }
}

function comment(finding: Finding): string {
  return [`**${finding.what}** (${finding.severity}, \`${finding.rule}\`)`, finding.why, finding.advice].join(
    '\n\n',
  )
}

function summary(review: Review): string {
  const { findings, files, model, notes } = review
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`
  const asked = model.used ? `Model: ${model.model}.` : `No model was asked: ${model.reason}.`
  const scanned = files.secretsOnly > 0 ? `; ${files.secretsOnly} more scanned for secrets only` : ''
  const lines = [
    `${count} in ${files.reviewed} reviewed of ${files.changed} changed files${scanned}. ${asked}`,
  ]
  // Paths and reasons come from the change: neither may become markup, or mention anybody.
  for (const note of notes) lines.push(`- ${codeSpan(note.about)}: ${safeText(note.reason)}`)
  return lines.join('\n')
}
