import { writeFileSync } from 'node:fs'
import { type Command, InvalidArgumentError } from 'commander'
import { KodusError } from '../../lib/errors.ts'
import { markdownTable, textTable } from '../cost/table.ts'
import { terminalChart } from '../simulate/chart.ts'
import { compare } from '../simulate/compare.ts'
import { valuesWith } from '../simulate/inputs.ts'
import { figuresOf, inputTable, outcomeTable, variationTable, verdict } from '../simulate/report.ts'
import { svgChart } from '../simulate/svg.ts'
import { TRACES } from '../simulate/trace.ts'
import { vary } from '../simulate/vary.ts'

interface Options {
  seed: number
  jobSeconds?: number
  metricDelay?: number
  organisations?: number
  json?: boolean
  markdown?: boolean
  inputs?: boolean
  vary?: boolean
  svg?: string
}

export function addSimulate(program: Command): void {
  const names = TRACES.map(({ name }) => name).join(', ')
  program
    .command('simulate [traces...]')
    .description(
      "replay bursts against our scaling and the documents': tasks, oldest job, refused webhooks, dollars",
    )
    .addHelpText(
      'after',
      `\nTraces: ${names}. Without any: all. The last line is JSON, about the storm where it is among them.`,
    )
    .option('--seed <number>', 'draws how long each review takes', parseNumber, 1)
    .option('--job-seconds <seconds>', 'how long a review takes', parseNumber)
    .option('--metric-delay <seconds>', 'how late CloudWatch shows a minute', parseNumber)
    .option('--organisations <count>', 'whose reviews come at once', parseNumber)
    .option('--inputs', 'what is taken as given, and where each number is from')
    .option('--vary', 'the storm again and again, each time with one input changed')
    .option('--svg <file>', 'write the chart there as well')
    .option('--markdown', 'only the tables, for a page of documentation')
    .option('--json', 'everything, as JSON')
    .action(run)
}

function run(asked: string[], options: Options): void {
  const changed = {
    ...(options.jobSeconds !== undefined && { jobSeconds: options.jobSeconds }),
    ...(options.metricDelay !== undefined && { metricDelaySeconds: options.metricDelay }),
    ...(options.organisations !== undefined && { organisations: options.organisations }),
  }
  const values = valuesWith(changed)
  const comparisons = tracesNamed(asked).map((trace) => compare(trace, { values, seed: options.seed }))
  const variations = options.vary ? vary(changed, options.seed) : []
  if (options.svg) writeFileSync(options.svg, svgChart(comparisons))
  if (options.json) {
    console.log(JSON.stringify({ seed: options.seed, values, comparisons, variations }, null, 2))
    return
  }
  const write = options.markdown ? markdownTable : textTable
  const told = comparisons.find(({ trace }) => trace.name === 'storm') ?? comparisons.at(-1)
  const blocks = [
    ...(options.inputs ? [write(inputTable(values))] : []),
    ...(options.markdown ? [] : comparisons.map(terminalChart)),
    write(outcomeTable(comparisons)),
    ...(variations.length > 0 ? [write(variationTable(variations))] : []),
  ]
  console.log(blocks.join('\n\n'))
  if (options.markdown || !told) return
  console.log(`\n${told.trace.name}: ${verdict(told).join('\n')}\n`)
  console.log(JSON.stringify(figuresOf(told)))
}

function tracesNamed(asked: readonly string[]) {
  const unknown = asked.filter((name) => !TRACES.some((trace) => trace.name === name))
  if (unknown.length > 0) {
    throw new KodusError('TRACE_UNKNOWN', `There is no trace called ${unknown.join(', ')}.`, {
      help: `There are: ${TRACES.map(({ name }) => name).join(', ')}.`,
    })
  }
  return asked.length === 0 ? TRACES : TRACES.filter(({ name }) => asked.includes(name))
}

function parseNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 1 && value <= 1_000_000) return value
  throw new InvalidArgumentError('A whole number from 1 to 1000000.')
}
