import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { countLine, countOutcomes, listNotRun } from '../support/count.ts'
import { runFiles } from '../support/run-files.ts'
import { tell } from './rolling/report.ts'
import { SABOTAGES } from './rolling/sabotage.ts'

// `npm run test:containers`: the engine, an installation by compose, then rolling updates. It ends with a table, how many
// tests passed, and the figures as a line of JSON. `-- --only rolling-updates` runs one of the files;
// `-- --sabotage NAME` breaks the product on purpose, and succeeds when that is noticed.

/** Where everything is accounted for, whatever went before. */
const ACCOUNT = 'every accepted webhook'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** One after the other: each has an engine to itself. */
const FILES = ['engine-up', 'compose-up', 'rolling-updates']

const { values } = parseArgs({ options: { only: { type: 'string' }, sabotage: { type: 'string' } } })
const sabotage = SABOTAGES.find(({ name }) => name === values.sabotage)
if (values.sabotage !== undefined && !sabotage) {
  console.error(`There are: ${SABOTAGES.map(({ name, breaks }) => `\n  ${name}: ${breaks}`).join('')}`)
  process.exit(2)
}
const files = values.sabotage
  ? ['rolling-updates']
  : FILES.filter((name) => !values.only || name === values.only)

const directory = mkdtempSync(path.join(tmpdir(), 'kodus-containers-'))
const outcomes = path.join(directory, 'outcomes')
const figures = path.join(directory, 'figures.json')
try {
  const { code, interrupted } = await runFiles(
    files.map((name) => `test/containers/${name}.ts`),
    {
      outcomes,
      args: [
        '--test-concurrency=1',
        ...(sabotage ? [sabotage.test, ACCOUNT].map((name) => `--test-name-pattern=^${name}`) : []),
      ],
      env: { CONTAINERS_FIGURES: figures, ...(sabotage && { CONTAINERS_SABOTAGE: sabotage.name }) },
    },
  )
  const count = countOutcomes(outcomes, { missingFails: process.env.CI === 'true' })
  console.log(listNotRun(count, ROOT))
  const measured = existsSync(figures) ? JSON.parse(readFileSync(figures, 'utf8')) : undefined
  if (measured) console.log(`${tell(measured)}\n`)
  console.log(countLine(count))
  if (measured) console.log(JSON.stringify(measured.counts))
  if (interrupted) process.exitCode = 128 + constants.signals[interrupted]
  else if (sabotage) process.exitCode = measured?.counts[sabotage.shows] > 0 ? 0 : 1
  else process.exitCode = code || (count.failed > 0 ? 1 : 0)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
