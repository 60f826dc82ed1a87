/** A pattern of paths, as its segments: `**` stands for any number of segments, none included. */
export type Glob = readonly string[]

const MAX_LENGTH = 200

/** What the braces of one pattern may stand for. */
const MAX_ALTERNATIVES = 50

/**
 * Reads a pattern relative to the repository: `*` and `?` within a segment, `**` across segments, and
 * `{a,b}`. Everything else stands for itself, or is refused where other tools give it a meaning.
 *
 * @returns one glob for each alternative in braces
 * @throws SyntaxError saying what is not understood, without repeating the pattern
 */
export function parseGlob(pattern: string): Glob[] {
  if (pattern.length > MAX_LENGTH) throw new SyntaxError(`longer than ${MAX_LENGTH} characters`)
  if (pattern.startsWith('!')) throw new SyntaxError('negation is not supported')
  const special = /[[\]()\\]/.exec(pattern)?.[0]
  if (special) throw new SyntaxError(`${special} is not supported; ? stands for any one character`)
  return alternatives(pattern).map((alternative) => {
    const segments = alternative.split('/')
    if (segments.some((segment) => /^\.{0,2}$/.test(segment))) {
      throw new SyntaxError('an empty segment, . or .. is in no path; directory/** is all below a directory')
    }
    return segments
  })
}

/** Takes at most pattern times path steps, whatever is in either: unlike the regular expression a glob can be made into. */
export function matchesGlob(globs: readonly Glob[], path: string): boolean {
  const segments = path.split('/')
  return globs.some((glob) => matches(glob, segments, '**', matchesSegment))
}

function matchesSegment(pattern: string, segment: string): boolean {
  return matches(pattern, segment, '*', (wanted, character) => wanted === '?' || wanted === character)
}

/** Whether parts fit one by one, with `star` for any number of them. Only the last star is ever reconsidered. */
function matches(
  pattern: ArrayLike<string>,
  parts: ArrayLike<string>,
  star: string,
  fits: (wanted: string, part: string) => boolean,
): boolean {
  let next = 0
  let behindStar: number | undefined
  let resume = 0
  for (let at = 0; at < parts.length; ) {
    const wanted = pattern[next]
    if (wanted === star) {
      behindStar = ++next
      resume = at
    } else if (wanted !== undefined && fits(wanted, parts[at] ?? '')) {
      next++
      at++
    } else if (behindStar !== undefined) {
      next = behindStar
      at = ++resume
    } else return false
  }
  while (pattern[next] === star) next++
  return next === pattern.length
}

function alternatives(pattern: string): string[] {
  let expanded = ['']
  for (const part of pattern.split(/(\{[^{}]*\})/)) {
    const options = /^\{.*,.*\}$/s.test(part) ? part.slice(1, -1).split(',') : [part]
    if (options.length === 1 && /[{}]/.test(part)) throw new SyntaxError('braces are only for {one,other}')
    if (expanded.length * options.length > MAX_ALTERNATIVES) {
      throw new SyntaxError(`braces that stand for more than ${MAX_ALTERNATIVES} alternatives`)
    }
    expanded = expanded.flatMap((start) => options.map((option) => start + option))
  }
  return expanded
}
