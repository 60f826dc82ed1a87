import { HOURS_A_MONTH, PRICES, type PriceName } from './prices.ts'

/** One line of a bill: so much of something at a price. */
export interface Line {
  readonly what: string
  readonly quantity: number
  /** The prices it was made of. */
  readonly prices: readonly PriceName[]
  /** US dollars a month. */
  readonly dollars: number
}

/** A line whose price is by the hour, all month. */
export function hourly(what: string, quantity: number, name: PriceName): Line {
  return { what, quantity, prices: [name], dollars: quantity * PRICES[name].value * HOURS_A_MONTH }
}

/** A line whose price is by the month, or by what is used of it in a month. */
export function monthly(what: string, quantity: number, name: PriceName): Line {
  return { what, quantity, prices: [name], dollars: quantity * PRICES[name].value }
}

/** US dollars a month. */
export function totalOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { dollars }) => sum + dollars, 0)
}
