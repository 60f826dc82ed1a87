import { type ChangedFile, touchedLines } from '../../forges/change.ts'
import { findingId } from '../finding-id.ts'
import type { Finding } from '../review.ts'
import { safeText } from '../safe-text.ts'
import { anchorQuote, touchedPart } from './anchor.ts'
import type { ModelFinding } from './answer.ts'
import { fittedReplacement } from './replacement.ts'
import { isEnglish } from './wishes.ts'

const RULE = 'model/bug'

/** Why something a model said is not shown, in the words of a note. */
export type Dropped =
  | 'about a file that was not shown'
  | 'quoting code that is not there'
  | 'about lines that the change did not touch'
  | 'without a realistic trigger'
  | 'without a statement of what is wrong'

/**
 * What a model said, as a finding: at lines that the change touched, in words that a forge shows and does not
 * obey, with a replacement only where it fits.
 */
export function findingOf(
  said: ModelFinding,
  file: ChangedFile,
  text: string,
  language: string,
): Finding | Dropped {
  const what = prose(said.what, 200)
  const trigger = prose(said.trigger, 500)
  if (!what) return 'without a statement of what is wrong'
  if (!trigger) return 'without a realistic trigger'
  const anchor = anchorQuote(said.quote, file, text)
  if (anchor === 'absent') return 'quoting code that is not there'
  if (anchor === 'unchanged') return 'about lines that the change did not touch'

  const lines = text.split('\n')
  const textOf = ({ line, endLine }: { line: number; endLine: number }) => lines.slice(line - 1, endLine)
  const replacement =
    anchor.exact && said.replacement !== null
      ? fittedReplacement(said.replacement, said.quote, textOf(anchor))
      : undefined
  const { line, endLine } = replacement === undefined ? touchedPart(anchor, touchedLines(file)) : anchor
  return {
    id: idOf(file.path, lines, line, endLine),
    source: 'model',
    rule: RULE,
    path: file.path,
    line,
    endLine,
    severity: said.severity,
    what,
    why: withTrigger(prose(said.why, 1_000), trigger, language),
    advice: prose(said.advice, 1_000),
    ...(replacement === undefined ? {} : { replacement }),
  }
}

/** An English label in the middle of another language would be nobody's. */
function withTrigger(why: string, trigger: string, language: string): string {
  return (isEnglish(language) ? `${why} Trigger: ${trigger}` : `${why} (${trigger})`).trim()
}

function idOf(path: string, lines: string[], line: number, endLine: number): string {
  const code = lines.slice(line - 1, endLine).map((text) => text.trim())
  const isSame = (at: number) => code.every((text, index) => lines[at + index]?.trim() === text)
  let before = 0
  for (let at = 0; at < line - 1; at++) if (isSame(at)) before++
  return findingId(RULE, path, code.join('\n'), before)
}

/** Whether two findings tell a reader the same thing: the same lines, or shared lines in much the same words. */
export function saysTheSame(a: Finding, b: Finding): boolean {
  if (a.path !== b.path || a.line > b.endLine || b.line > a.endLine) return false
  if (a.id === b.id || (a.line === b.line && a.endLine === b.endLine)) return true
  const [few, many] = [words(a.what), words(b.what)].sort((x, y) => x.size - y.size)
  if (!few || !many || few.size === 0) return false
  return [...few].filter((word) => many.has(word)).length / few.size >= 0.5
}

function words(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_]{3,}/gu))
}

function prose(text: string, limit: number): string {
  return safeText(text.length > limit ? `${text.slice(0, limit)}…` : text)
}
