import { PROMISES, type Promised } from './oracle.ts'
import type { Outcome } from './run.ts'

/** How many cases of one broken promise are told. */
const MAX_TOLD = 20

/** What struck, what became of the jobs, and every broken promise by name. */
export function tell({ struck, figures, verdict, directory }: Outcome): string {
  const { jobs, failures, ...rest } = figures
  const faults = [...struck].sort(([a], [b]) => (a < b ? -1 : 1))
  const broken = (Object.keys(verdict) as Promised[]).filter((promise) => verdict[promise].length > 0)
  return [
    '',
    ...table([
      ['what struck', 'times', 'requests it met'],
      ...faults.map(([name, { times, requests }]) => [
        name,
        String(times),
        requests > 0 ? String(requests) : '',
      ]),
    ]),
    '',
    ...table(Object.entries(rest).map(([name, value]) => [name, String(value)])),
    ...table(
      Object.entries(jobs)
        .sort()
        .map(([status, count]) => [`jobs ${status}`, String(count)]),
    ),
    ...table(
      Object.entries(failures)
        .sort()
        .map(([code, count]) => [`failed: ${code}`, String(count)]),
    ),
    '',
    ...broken.flatMap((promise) => [
      `BROKEN (${verdict[promise].length}): ${PROMISES[promise]}`,
      ...verdict[promise].slice(0, MAX_TOLD).map((each) => `  ${each}`),
    ]),
    ...(broken.length === 0 ? [`All ${Object.keys(PROMISES).length} promises were kept.`] : []),
    ...(directory ? [`Logs: ${directory}/logs`] : []),
  ].join('\n')
}

/** The last line: JSON for machines. */
export function lastLine({ options, figures, verdict }: Outcome): string {
  const counts = Object.fromEntries(
    Object.entries(verdict).map(([promise, broken]) => [promise, broken.length]),
  )
  const { webhooks, accepted, faults, reviews, takeovers, sendingSeconds, quietSeconds } = figures
  const jobs = Object.values(figures.jobs).reduce((sum, count) => sum + count, 0)
  const { seed, queue } = options
  return JSON.stringify({
    seed,
    queue,
    webhooks,
    accepted,
    jobs,
    reviews,
    faults,
    takeovers,
    seconds: sendingSeconds + quietSeconds,
    ...counts,
  })
}

function table(rows: readonly string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, at) => Math.max(known[at] ?? 0, cell.length)),
    [],
  )
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
