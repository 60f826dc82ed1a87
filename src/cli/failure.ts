import { styleText } from 'node:util'
import { asKodusError } from '../lib/errors.ts'
import { printable } from '../review/printable.ts'

/** Exit code for "the command could not do its work", as opposed to 1: "it did, and the answer is no". */
export const EXIT_FAILED = 2

/** Prints what happened and what to do about it, and makes the process exit with 2. */
export function reportFailure(thrown: unknown): void {
  const error = asKodusError(thrown)
  const title = process.stderr.isTTY ? styleText('red', error.code) : error.code
  // Messages may quote a repository's own words, which must not drive the terminal.
  console.error(`${title}: ${printable(error.message)}\n${error.help}`)
  if (error.code === 'UNEXPECTED' && thrown instanceof Error) console.error(thrown.stack)
  process.exitCode = EXIT_FAILED
}
