import type { ChaosOptions } from './options.ts'
import { runChaos } from './run.ts'
import { SABOTAGES, type Sabotage } from './sabotage.ts'

/** Seeds that are tried, should chance have spared what is broken. */
const TRIES = 3

const PAST_THE_LEASE = 40
const FAULTS = 12
/** Jobs that run longer are more often running when something happens to them. */
const THINKING = 0.6

/**
 * Breaks every promise on purpose, each in a run of its own, and sees whether the oracle says so.
 *
 * @returns the names of those that it did not notice
 */
export async function proveOracle(
  options: ChaosOptions,
  say: (line: string) => void,
  interrupt: AbortSignal,
): Promise<string[]> {
  const unnoticed: string[] = []
  const names = options.sabotage?.split(',') ?? []
  for (const sabotage of SABOTAGES.filter(({ name }) => names.includes('all') || names.includes(name))) {
    if (!(await isNoticed(sabotage, options, say, interrupt))) unnoticed.push(sabotage.name)
  }
  return unnoticed
}

async function isNoticed(
  sabotage: Sabotage,
  options: ChaosOptions,
  say: (line: string) => void,
  interrupt: AbortSignal,
): Promise<boolean> {
  const { name, breaks, shows, faults } = sabotage
  for (let nth = 0; nth < TRIES; nth++) {
    const struck = {
      ...options,
      sabotage: name,
      sorts: faults,
      longestSeconds: PAST_THE_LEASE,
      faults: FAULTS,
      thinking: THINKING,
      seed: options.seed + nth,
    }
    const { verdict, directory } = await runChaos(struck, () => {}, interrupt)
    const noticed = shows.filter((promise) => verdict[promise].length > 0)
    const told = noticed.map((promise) => `${promise} ${verdict[promise].length}: ${verdict[promise][0]}`)
    say(
      `${noticed.length > 0 ? 'noticed ' : 'UNNOTICED'} ${name} (${breaks}), seed ${struck.seed}: ${told.join('; ') || directory}`,
    )
    if (noticed.length > 0) return true
  }
  return false
}
