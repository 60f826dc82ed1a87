/** Amounts are integers, in cents. */
export type Cents = number

export function parseAmount(text: string): Cents {
  const [euros = '0', cents = '0'] = text.trim().split('.')
  return Number(euros) * 100 + Number(cents.padEnd(2, '0'))
}

export function formatAmount(amount: Cents): string {
  return `${(amount / 100).toFixed(2)} EUR`
}

export function sum(amounts: readonly Cents[]): Cents {
  return amounts.reduce((total, amount) => total + amount, 0)
}
