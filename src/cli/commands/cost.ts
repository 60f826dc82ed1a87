import { type Command, InvalidArgumentError, Option } from 'commander'
import { ASSUMPTIONS, NOT_COUNTED } from '../cost/assumptions.ts'
import { billFor } from '../cost/bill.ts'
import { breakEven } from '../cost/break-even.ts'
import { documentsBesideOurs } from '../cost/documents.ts'
import type { Installation } from '../cost/installation.ts'
import { PRICES } from '../cost/prices.ts'
import {
  assumptionTable,
  billsFor,
  billTable,
  breakEvenWords,
  documentsTable,
  monthTable,
  priceTable,
} from '../cost/report.ts'
import { simulatedUse } from '../cost/simulated-use.ts'
import { markdownTable, textTable } from '../cost/table.ts'
import { COUNTED_USES, countedUse } from '../cost/use.ts'

interface Options {
  env: Installation['environment']
  queue: Installation['queue']
  utilisation?: number
  sources?: boolean
  markdown?: boolean
  json?: boolean
}

export function addCost(program: Command): void {
  program
    .command('cost')
    .description('what a month costs: PM2, ECS on EC2, Fargate; every line, beside what the documents say')
    .addOption(
      new Option('--env <name>', 'staging has each store once')
        .choices(['staging', 'production'])
        .default('production'),
    )
    .addOption(
      new Option('--queue <name>', 'postgres: without a broker')
        .choices(['rabbitmq', 'postgres'])
        .default('rabbitmq'),
    )
    .option(
      '--utilisation <percent>',
      `how much of what tasks reserve they use, on average; ${100 * ASSUMPTIONS.utilisation.value} if nothing is said`,
      parsePercent,
    )
    .option('--sources', 'every price with its source and date, and every assumption with its reason')
    .option('--markdown', 'only the table, for a page of documentation')
    .option('--json', 'everything, as JSON')
    .action(run)
}

function run({ env: environment, queue, sources, markdown, json, ...given }: Options): void {
  const { utilisation = ASSUMPTIONS.utilisation.value } = given
  const installation = { environment, queue, utilisation }
  const uses = [...COUNTED_USES.map(countedUse), simulatedUse()]
  const bills = billsFor(uses, installation)
  const crossings = (['x86', 'arm'] as const).map((kind) => breakEven(kind, utilisation))
  if (json) {
    const documents = documentsBesideOurs()
    const data = { installation, uses, bills, crossings, documents, prices: PRICES, assumptions: ASSUMPTIONS }
    console.log(JSON.stringify({ ...data, notCounted: NOT_COUNTED }, null, 2))
    return
  }
  if (markdown) {
    console.log(markdownTable(monthTable(uses, bills)))
    return
  }
  const used = `${Math.round(utilisation * 100)} %`
  const blocks = [
    `us-east-1, ${environment}, queue: ${queue}; tasks use ${used} of what they reserve. Tasks: webhook-handler / api-rest / worker.`,
    textTable(monthTable(uses, bills)),
    'PM2 is one machine, its PostgreSQL and RabbitMQ on it, whatever is asked of it: nothing scales, and when it fails, all does.\n' +
      'Spot at best: at worst it costs what Fargate x86 does. The least counts never run on Spot.',
    textTable(billTable(billFor('ecs-ec2', countedUse('desired'), installation))),
    textTable(billTable(billFor('fargate-arm', countedUse('desired'), installation))),
    textTable(documentsTable()),
    crossings.map(breakEvenWords).join('\n'),
    `Not counted: ${NOT_COUNTED.join('; ')}.`,
    ...(sources ? [textTable(priceTable()), textTable(assumptionTable())] : []),
  ]
  console.log(blocks.join('\n\n'))
}

function parsePercent(text: string): number {
  const percent = Number(text)
  if (text.trim() !== '' && percent > 0 && percent <= 100) return percent / 100
  throw new InvalidArgumentError('A percentage, more than 0 and at most 100.')
}
