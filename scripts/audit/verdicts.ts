import { readFileSync } from 'node:fs'

/** What somebody who read the code around a finding thinks of it. */
export interface Verdict {
  id: string
  rule: string
  path: string
  /** The beginning of the line, to find it again. */
  code: string
  /** Whether a reviewer would be right to say it. */
  verdict: boolean
  reason: string
}

/** One JSON object a line. */
export function readVerdicts(file: string): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>()
  for (const [index, line] of readFileSync(file, 'utf8').split('\n').entries()) {
    if (line.trim() === '') continue
    const verdict: Verdict = JSON.parse(line)
    if (typeof verdict.verdict !== 'boolean' || !verdict.reason)
      throw new Error(`${file}:${index + 1} is no verdict`)
    if (verdicts.has(verdict.id)) throw new Error(`${file}:${index + 1} judges ${verdict.id} again`)
    verdicts.set(verdict.id, verdict)
  }
  return verdicts
}
