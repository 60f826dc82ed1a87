import { createHash } from 'node:crypto'

/**
 * 16 hexadecimal digits (64 bits of SHA-256) that stay the same while the rule, the path and the lines' text
 * do: not when the code moves or is indented anew.
 *
 * @param occurrence which of several places with this text it is, counted from 0
 */
export function findingId(rule: string, path: string, text: string, occurrence = 0): string {
  const code = text.split('\n').map((line) => line.trim())
  const identity = JSON.stringify([rule, path, code, ...(occurrence > 0 ? [occurrence] : [])])
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}
