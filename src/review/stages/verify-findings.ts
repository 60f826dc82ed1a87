import type { Draft } from '../draft.ts'
import { reconcile } from '../earlier/reconcile.ts'
import { atLeast, type Finding, SEVERITIES } from '../review.ts'
import { proceed, type Stage } from '../stage.ts'

/**
 * A review says no more: nobody reads on, and a forge that is sent many more comments at once gives up on them.
 * What it does not say is not followed on either, so that no change makes the reviews after it slow.
 */
const MAX_FINDINGS = 100

/**
 * Keeps what deserves a reader's time: on lines that the change touched, never said before, severe enough;
 * the worst first. Tells of what was said before whether it is still there, gone, or back.
 */
export const verifyFindings: Stage = {
  name: 'verify-findings',
  async run(draft) {
    const { earlier } = draft
    const files = new Map(draft.files.map((file) => [file.path, file]))
    const looked = draft.findings.filter((found) => touches(found, files.get(found.path)?.touched))
    const unique = [...new Map(looked.map((finding) => [sameness(finding), finding])).values()]
    const compared = reconcile({
      found: unique,
      open: draft.open,
      isFresh(found) {
        const file = files.get(found.path)
        return touches(found, file?.touched, file?.rechecked)
      },
      hasRead: (source, place) => hasRead(draft, source, place),
      wasSaid: (id) => earlier.said.has(id),
      dismissed: earlier.dismissed,
      aliases: earlier.last?.review.aliases ?? {},
    })

    const threshold = draft.config.suggestionControl.severityLevelFilter
    const isShown = ({ severity }: Finding) => atLeast(severity, threshold)
    const shown = compared.findings.filter(isShown).sort(bySeverityThenPlace)
    const back = compared.returned.filter(isShown)
    const hidden = compared.findings.length - shown.length + compared.returned.length - back.length
    if (hidden > 0) {
      draft.notes.push({
        about: 'findings',
        reason: `${hidden} below severity ${threshold} are not shown (suggestionControl.severityLevelFilter)`,
      })
    }
    if (shown.length > MAX_FINDINGS) {
      draft.notes.push({
        about: 'findings',
        reason: `${shown.length - MAX_FINDINGS} more are not shown: one review says ${MAX_FINDINGS}, the worst first; the command review --force tells more`,
      })
    }
    draft.aliases = compared.aliases
    draft.forgotten = compared.forgotten
    draft.findings = shown.slice(0, MAX_FINDINGS)
    draft.returned = back.sort(bySeverityThenPlace)
    draft.carried = compared.carried.sort(bySeverityThenPlace)
    draft.fixed = compared.fixed.sort(bySeverityThenPlace)
    return proceed
  },
}

type Lines = Pick<Finding, 'path' | 'line' | 'endLine'>

/** Whether one of the lines is in a set, and not in the other. */
function touches(
  { line, endLine }: Lines,
  lines: ReadonlySet<number> | undefined,
  except?: ReadonlySet<number>,
): boolean {
  for (let at = line; at <= endLine; at++) if (lines?.has(at) && !except?.has(at)) return true
  return false
}

/** Whether what finds such findings has read these lines this time: what is not found there then is not there. */
function hasRead(
  { files, readByNoRule, model, unreadByModel }: Draft,
  source: Finding['source'],
  place: Lines,
): boolean {
  const file = files.find(({ path }) => path === place.path)
  if (!file || !touches(place, file.touched)) return false
  if (source === 'secret') return true
  if (source === 'rule') return !readByNoRule.includes(place.path)
  return model.used && !unreadByModel.includes(place.path) && touches(place, file.touched, file.rechecked)
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
