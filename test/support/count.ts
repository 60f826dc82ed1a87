import { existsSync, readFileSync } from 'node:fs'
import { isMissing } from './missing.ts'
import type { Outcome } from './reporter.ts'

export interface Count {
  passed: number
  failed: number
  skipped: number
  /** All that were skipped, whether they count as that or as failed. */
  notRun: Outcome[]
}

/** Adds up what the reporter wrote. Where nothing may be missing, a test skipped for that reason has failed. */
export function countOutcomes(file: string, options: { missingFails: boolean }): Count {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  const outcomes = lines.filter(Boolean).map((line): Outcome => JSON.parse(line))
  const fails = ({ result, reason = '' }: Outcome) =>
    result === 'failed' || (result === 'skipped' && options.missingFails && isMissing(reason))
  return {
    passed: outcomes.filter(({ result }) => result === 'passed').length,
    failed: outcomes.filter(fails).length,
    skipped: outcomes.filter((outcome) => outcome.result === 'skipped' && !fails(outcome)).length,
    notRun: outcomes.filter(({ result }) => result === 'skipped'),
  }
}

/** Every test that was not run, with its reason, so that nobody takes it for one that passed. */
export function listNotRun({ notRun }: Count, root: string): string {
  if (notRun.length === 0) return ''
  const lines = notRun.map(({ name, file, reason }) => `  ${file.replace(root, '')}: ${name}\n    ${reason}`)
  return `\nNOT RUN (${notRun.length}):\n${lines.join('\n')}\n`
}

export function countLine({ passed, failed, skipped }: Count): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}
