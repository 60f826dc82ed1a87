import { messageOf } from '../src/lib/errors.ts'
import { type ChaosOptions, readOptions, USAGE } from './options.ts'
import { proveOracle } from './prove-oracle.ts'
import { lastLine, tell } from './report.ts'
import { runChaos } from './run.ts'

// `npm run chaos -- --webhooks N --seed S`: everything fails around the product, and every promise is checked.

let options: ChaosOptions
try {
  options = readOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${messageOf(error)}\n\n${USAGE}`)
  process.exit(2)
}
const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupt.abort())

const began = performance.now()
const elapsed = () => `${Math.round((performance.now() - began) / 1000)} s`.padStart(6)
const say = (line: string) => console.log(`${elapsed()}  ${line}`)
if (options.sabotage !== undefined) {
  const unnoticed = await proveOracle(options, say, interrupt.signal)
  console.log(JSON.stringify({ unnoticed }))
  process.exit(unnoticed.length > 0 ? 1 : 0)
}
const outcome = await runChaos(options, say, interrupt.signal)
console.log(tell(outcome))
console.log(lastLine(outcome))
process.exit(Object.values(outcome.verdict).some((broken) => broken.length > 0) ? 1 : 0)
