export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** By nearest rank; NaN when there are none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN
}

/** The median of one field over several rounds. */
export function medianOf<Round>(rounds: readonly Round[], read: (round: Round) => number): number {
  return median(rounds.map(read))
}

export function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits))
}
