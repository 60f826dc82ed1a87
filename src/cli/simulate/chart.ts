import type { Comparison } from './compare.ts'
import type { Outcome, Sample } from './outcome.ts'

const BLOCKS = ' ▁▂▃▄▅▆▇█'
const WIDTH = 64
/** What is shown before the burst, so that it can be seen what it came upon. */
const MINUTES_BEFORE = 10

/** Workers and waiting jobs over time, a line for each policy; one scale for all of them. */
export function terminalChart({ trace, ours, documents }: Comparison): string {
  const outcomes = [documents.steps, documents.tracking, ours]
  const from = trace.burst.fromSecond / 60 - MINUTES_BEFORE
  const to = Math.min(trace.seconds / 60, from + 2 * WIDTH)
  const rows = (title: string, value: (sample: Sample) => number) => {
    const series = outcomes.map((outcome) => shown(outcome, from, to).map(value))
    const top = Math.max(1, ...series.flat())
    const lines = outcomes.map(
      ({ policy }, i) =>
        `  ${policy.padEnd(21)} ${sparkline(series[i] ?? [], top)} up to ${Math.max(...(series[i] ?? [0]))}`,
    )
    return [`  ${title}`, ...lines]
  }
  return [
    `${trace.name}: ${trace.what}`,
    `  minutes ${-MINUTES_BEFORE} to ${to - from - MINUTES_BEFORE}, the burst beginning at 0`,
    ...rows('workers', ({ tasks }) => tasks.worker),
    ...rows('jobs that wait', ({ waitingJobs }) => waitingJobs),
  ].join('\n')
}

function shown({ samples }: Outcome, from: number, to: number): Sample[] {
  return samples.filter(({ minute }) => minute > from && minute <= to)
}

/** One character for as many values as it takes to fit; the highest of them counts. */
function sparkline(values: readonly number[], top: number): string {
  const each = Math.ceil(values.length / WIDTH)
  let line = ''
  for (let i = 0; i < values.length; i += each) {
    const value = Math.max(...values.slice(i, i + each))
    line += BLOCKS[Math.ceil((value / top) * (BLOCKS.length - 1))] ?? ' '
  }
  return line
}
