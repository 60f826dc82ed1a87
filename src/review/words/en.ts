import type { Counts, Words } from './words.ts'

const severity = { low: 'low', medium: 'medium', high: 'high', critical: 'critical' }

const files = (count: number) => (count === 1 ? '1 file' : `${count} files`)
const findings = (count: number) => (count === 1 ? '1 finding' : `${count} findings`)

function openFindings({ open, severities }: Counts): string {
  const detail = severities.map((each) => `${each.count} ${severity[each.severity]}`).join(', ')
  return open === 0 ? 'No open findings' : `${findings(open)} open (${detail})`
}

export const english: Words = {
  severity,
  verdict: openFindings,
  heading: (range) => `Review of ${range}`,
  progress(counts) {
    const parts = [`${counts.new} new`]
    if (counts.carried > 0) parts.push(`${counts.carried} from before`)
    if (counts.returned > 0) parts.push(`${counts.returned} back again`)
    if (counts.fixed > 0) parts.push(`${counts.fixed} fixed`)
    const isQuiet = parts.length === 1 && counts.new === 0
    return `**${openFindings(counts)}.**${isQuiet ? '' : ` ${parts.join(', ')}.`}`
  },
  reviewBody(counts) {
    const before = counts.carried + counts.returned
    const others = before > 0 ? `, ${before} from before still open` : ''
    return `${counts.new === 0 ? 'No new findings' : `${counts.new} new ${counts.new === 1 ? 'finding' : 'findings'}`}${others}.`
  },
  unplaced: 'At lines that cannot be commented on here:',
  newFindings: 'New',
  stillOpen: 'Still open',
  returned: 'Back again',
  fixed: 'Fixed',
  configProblems: 'Problems in kodus-config.yml',
  notReviewed: 'Not reviewed, or not fully',
  more: (count) => `and ${count} more`,
  filesRead({ changed, reviewed, secretsOnly, unchanged, since }) {
    const read = `Read ${reviewed} of ${files(changed)} that the change touches`
    const scanned = secretsOnly > 0 ? `; scanned ${secretsOnly} more for secrets only` : ''
    if (since === null) return `${read}${scanned}.`
    const reviewedBefore = unchanged === 1 ? 'was reviewed before' : 'were reviewed before'
    const before = unchanged > 0 ? ` ${files(unchanged)} unchanged since ${since} ${reviewedBefore}.` : ''
    return `${read}${scanned}: what is new since ${since}.${before}`
  },
  model(use, name) {
    if (!use.used) return `No model was asked: ${name}.`
    const requests = use.requests === 1 ? '1 request' : `${use.requests} requests`
    return `Model: ${name}, ${requests}.`
  },
  commands: (list) => `Commands, in a comment: ${list}.`,
  fixedAt: (commit) => `Not found any more at ${commit}.`,
  stillInHistory: 'It is still in the history: revoke it.',
  returnedAt: (commit, place) => `Found again at ${commit}: ${place}.`,
  failsFrom: (severity) => `Fails because \`checks.failOn\` is ${severity}.`,
  paused: {
    title: 'Reviews are paused',
    summary:
      'Somebody paused the reviews of this pull request. Comment `@kody resume` to have them again, or `@kody review` for one.',
  },
  waits: {
    title: 'Waits for a maintainer',
    summary:
      'The author, or the owner of the fork, may not write to this repository, so nothing was reviewed. A maintainer may comment `@kody review`.',
  },
}
