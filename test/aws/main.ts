import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { countLine, countOutcomes, listNotRun } from '../support/count.ts'
import { runFiles } from '../support/run-files.ts'

// `npm run test:aws`: see services.ts. It says as its last line how many passed; where something is missing, what and why
// before that.

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const directory = mkdtempSync(path.join(tmpdir(), 'kodus-aws-run-'))
const outcomes = path.join(directory, 'outcomes')
const temporary = path.join(directory, 'tmp')
mkdirSync(temporary)
try {
  const { code, interrupted } = await runFiles(['test/aws/services.ts'], {
    outcomes,
    // An interrupted runner would not wait for the process of the test, which takes away what it has made.
    args: ['--test-isolation=none'],
    env: { TMPDIR: temporary },
  })
  const count = countOutcomes(outcomes, { missingFails: process.env.CI === 'true' })
  console.log(listNotRun(count, ROOT))
  console.log(countLine(count))
  if (interrupted) process.exitCode = 128 + constants.signals[interrupted]
  else process.exitCode = code || (count.failed > 0 ? 1 : 0)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
