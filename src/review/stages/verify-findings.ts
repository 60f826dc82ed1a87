import { atLeast, type Finding, SEVERITIES } from '../review.ts'
import { proceed, type Stage } from '../stage.ts'

/** Keeps what deserves a reader's time: on touched lines, once, severe enough; the worst first. */
export const verifyFindings: Stage = {
  name: 'verify-findings',
  async run(draft) {
    const touched = new Map(draft.files.map((file) => [file.path, file.touched]))
    const anchored = draft.findings.filter((finding) => isOnTouchedLines(touched.get(finding.path), finding))
    const unique = [...new Map(anchored.map((finding) => [sameness(finding), finding])).values()]
    const threshold = draft.config.suggestionControl.severityLevelFilter
    const shown = unique.filter((finding) => atLeast(finding.severity, threshold))
    if (shown.length < unique.length) {
      draft.notes.push({
        about: 'findings',
        reason: `${unique.length - shown.length} below severity ${threshold} are not shown (suggestionControl.severityLevelFilter)`,
      })
    }
    draft.findings = shown.sort(bySeverityThenPlace)
    return proceed
  },
}

function isOnTouchedLines(touched: ReadonlySet<number> | undefined, { line, endLine }: Finding): boolean {
  if (!touched) return false
  for (let at = line; at <= endLine; at++) if (touched.has(at)) return true
  return false
}

/** Two findings with the same key tell a reader the same thing. */
function sameness({ path, line, rule, what }: Finding): string {
  return JSON.stringify([path, line, rule, what])
}

function bySeverityThenPlace(a: Finding, b: Finding): number {
  const severity = SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity)
  if (severity !== 0) return severity
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.line - b.line
}
