import { ASSUMPTIONS } from './assumptions.ts'
import { type Bill, billFor, PLATFORMS, type Platform } from './bill.ts'
import type { BreakEven } from './break-even.ts'
import { documentsBesideOurs } from './documents.ts'
import type { Installation } from './installation.ts'
import { PRICES, type Price } from './prices.ts'
import { amount, dollars, type Table } from './table.ts'
import type { Use } from './use.ts'

const TITLES: Record<Platform, string> = {
  pm2: 'PM2 on EC2',
  'ecs-ec2': 'ECS on EC2',
  'fargate-x86': 'Fargate x86',
  'fargate-arm': 'Fargate ARM',
  'fargate-spot': 'Fargate Spot',
}

/** Each use as it would be billed on each platform. */
export function billsFor(uses: readonly Use[], installation: Installation): Bill[] {
  return uses.flatMap((use) => PLATFORMS.map((platform) => billFor(platform, use, installation)))
}

/** Dollars a month, a line for what runs the tasks and one for everything. */
export function monthTable(uses: readonly Use[], bills: readonly Bill[]): Table {
  const cells = (use: Use, of: (bill: Bill) => number) =>
    PLATFORMS.map((platform) => {
      const bill = bills.find((each) => each.platform === platform && each.use === use.name)
      return bill ? dollars(of(bill)) : '–'
    })
  return {
    header: ['dollars a month', 'tasks', 'hosts', ...PLATFORMS.map((platform) => TITLES[platform])],
    rows: uses.flatMap((use) => {
      const { webhook, api, worker } = use.tasks
      const tasks = [webhook, api, worker].map((count) => String(Number(count.toFixed(1)))).join(' / ')
      return [
        [
          `${use.name}: what runs tasks`,
          tasks,
          amount(use.hosts),
          ...cells(use, (bill) => bill.computeDollars),
        ],
        [`${use.name}: everything`, '', '', ...cells(use, (bill) => bill.totalDollars)],
      ]
    }),
  }
}

/** Every line of one bill, with the prices that it was made of. */
export function billTable({ platform, use, compute, hidden }: Bill): Table {
  const rows = [...compute, ...hidden].map(({ what, quantity, prices, dollars: sum }) => [
    what,
    amount(quantity),
    dollars(sum),
    prices.map((name) => `${PRICES[name].value} / ${PRICES[name].unit}`).join(', '),
  ])
  return { header: [`${TITLES[platform]}, ${use}`, 'quantity', 'a month', 'price'], rows }
}

export function documentsTable(): Table {
  return {
    header: ['what the documents say', 'theirs', 'ours', 'why'],
    rows: documentsBesideOurs().map(({ what, said, ours, why }) => [what, dollars(said), dollars(ours), why]),
  }
}

export function priceTable(): Table {
  return {
    header: ['price', 'dollars', 'unit', 'region', 'date', 'confidence', 'source'],
    rows: Object.entries<Price>(PRICES).map(([name, { value, unit, region, date, confidence, source }]) => [
      name,
      String(value),
      unit,
      region,
      date,
      confidence,
      source,
    ]),
  }
}

export function assumptionTable(): Table {
  return {
    header: ['assumption', 'value', 'unit', 'because'],
    rows: Object.entries(ASSUMPTIONS).map(([name, { value, unit, because }]) => [
      name,
      amount(value),
      unit,
      because,
    ]),
  }
}

/** Where ECS on EC2 and Fargate cross, in sentences. */
export function breakEvenWords({
  kind,
  reservedShare,
  reservedShareWhenBusy,
  ec2CheaperAtWorkers,
}: BreakEven): string {
  const name = kind === 'arm' ? 'Fargate ARM' : 'Fargate x86'
  const where = ranges(ec2CheaperAtWorkers)
  return [
    `${name}: a t3.xlarge is ${cheaperFrom(reservedShare)};`,
    `when tasks use 70 % of what they reserve, and T3 bills the surplus, ${cheaperFrom(reservedShareWhenBusy)}.`,
    where === ''
      ? 'With the desired mix, at no number of workers.'
      : `With the desired mix, at ${where} workers: hosts come whole.`,
  ].join(' ')
}

function cheaperFrom(share: number): string {
  return share > 1
    ? 'never the cheaper, not even full'
    : `the cheaper once ${Math.round(100 * share)} % of it are reserved`
}

/** Whole numbers in order, as "5 to 8, 11". */
export function ranges(numbers: readonly number[]): string {
  const found: { from: number; to: number }[] = []
  for (const number of numbers) {
    const last = found.at(-1)
    if (last && last.to === number - 1) last.to = number
    else found.push({ from: number, to: number })
  }
  return found.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`)).join(', ')
}
