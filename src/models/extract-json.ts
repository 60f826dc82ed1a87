/** Places to start from before giving up: an answer that is nothing but braces must not cost quadratic time. */
const MAX_STARTS = 64

/**
 * The JSON object or array in a model's text, which may stand in prose, in a fence, or behind its reasoning.
 * Where there are several, the longest.
 *
 * @returns undefined when there is none, or it is cut short
 */
export function extractJson(text: string): unknown {
  const answer = text.replace(/^[\s\S]*<\/think(?:ing)?>/, '')
  return parse(text) ?? parse(answer) ?? longestIn(answer) ?? longestIn(text)
}

function longestIn(text: string): unknown {
  let best: { value: unknown; length: number } | undefined
  let start = opening(text, 0)
  for (let starts = 0; start !== undefined && starts < MAX_STARTS; starts++) {
    const end = closing(text, start)
    const value = end === undefined ? undefined : parse(text.slice(start, end))
    if (value === undefined || end === undefined) {
      start = opening(text, start + 1)
      continue
    }
    if (!best || end - start > best.length) best = { value, length: end - start }
    start = opening(text, end)
  }
  return best?.value
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function opening(text: string, from: number): number | undefined {
  const at = text.slice(from).search(/[[{]/)
  return at === -1 ? undefined : from + at
}

/** Where the value that opens at `start` ends, minding strings; undefined when it never does. */
function closing(text: string, start: number): number | undefined {
  let depth = 0
  let inString = false
  for (let at = start; at < text.length; at++) {
    const character = text[at]
    if (inString) {
      if (character === '\\') at++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1
  }
  return undefined
}
