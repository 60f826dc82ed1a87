/**
 * A run of backticks that nothing in a text ends: longer than any in it.
 *
 * @param atLeast 1 around a code span, 3 around a block
 */
export function codeFence(text: string, atLeast: 1 | 3): string {
  const runs = text.match(/`+/g) ?? []
  const longest = runs.reduce((length, run) => Math.max(length, run.length), 0)
  return '`'.repeat(Math.max(atLeast, longest + 1))
}
