import { codeFence } from '../../lib/code-fence.ts'
import type { InlineComment } from '../forge.ts'

/** GitHub takes no longer text for a comment or a review ("body is too long (maximum is 65536 characters)"). */
const MAX_BODY_LENGTH = 65_536

const CUT_NOTICE = '*This is longer than GitHub allows: its end is cut off here.*'

/** A text behind its marker, cut where it is too long. That is said above it: below, it may stand in a code block. */
export function markedBody(marker: string, text: string): string {
  const body = `${marker}\n${text}`
  if (body.length <= MAX_BODY_LENGTH) return body
  const beginning = `${marker}\n${CUT_NOTICE}\n\n`
  return beginning + upToLength(text, MAX_BODY_LENGTH - beginning.length)
}

/** A comment at its lines. `suggestable`: applying its replacement there would replace just what it should. */
export function commentBody(marker: string, comment: InlineComment, suggestable: boolean): string {
  const { body, replacement } = comment
  if (replacement === undefined) return markedBody(marker, body)
  const withCode = `${body}\n\n${codeBlock(suggestable ? 'suggestion' : '', replacement)}`
  // Half a suggestion could be applied like a whole one.
  return markedBody(marker, marker.length + 1 + withCode.length <= MAX_BODY_LENGTH ? withCode : body)
}

/** What the review itself says, and below it the comments that GitHub took at no line. */
export function reviewBody(
  marker: string,
  review: { body: string; unplacedHeading: string },
  unplaced: readonly InlineComment[],
): string {
  const texts = unplaced.map(({ path, line, endLine, body }) => {
    const lines = endLine > line ? `${line}-${endLine}` : `${line}`
    return `${codeSpan(`${path}:${lines}`)}\n\n${body}`
  })
  const below = texts.length > 0 ? [review.unplacedHeading, ...texts] : []
  return markedBody(marker, [review.body, ...below].filter((text) => text !== '').join('\n\n'))
}

/** At most `length` UTF-16 units: up to the last whole line or, where lines are that long, whole character. */
export function upToLength(text: string, length: number): string {
  if (text.length <= length) return text
  const lastBreak = text.lastIndexOf('\n', length)
  return text.slice(0, lastBreak > length / 2 ? lastBreak : length).replace(/\p{Cs}$/u, '')
}

/** A fence that holds any code. Empty code is no line at all: as a suggestion, it deletes. */
function codeBlock(info: string, code: string): string {
  const fence = codeFence(code, 3)
  return code === '' ? `${fence}${info}\n${fence}` : `${fence}${info}\n${code}\n${fence}`
}

function codeSpan(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ')
  const fence = codeFence(line, 1)
  return `${fence} ${line} ${fence}`
}
