import { type ModelUse, type Review, SEVERITIES } from '../../review/review.ts'

/** `3 findings (1 high, 2 low) in 2 reviewed of 5 changed files` */
export function summarize({ findings, files }: Review): string {
  const counts = SEVERITIES.toReversed()
    .map((severity) => ({
      severity,
      count: findings.filter((finding) => finding.severity === severity).length,
    }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}`)
  const detail = counts.length > 0 ? ` (${counts.join(', ')})` : ''
  const scanned = files.secretsOnly > 0 ? `, ${files.secretsOnly} more scanned for secrets only` : ''
  return `${plural(findings.length, 'finding')}${detail} in ${files.reviewed} reviewed of ${plural(files.changed, 'changed file')}${scanned}`
}

export function describeModelUse(use: ModelUse): string {
  if (!use.used) return `no model was asked: ${use.reason}`
  const { model, requests, inputTokens, outputTokens } = use
  return `${model}, ${plural(requests, 'request')}, ${inputTokens} tokens in, ${outputTokens} out`
}

function plural(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`
}
