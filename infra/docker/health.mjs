// What a container's health check runs: `health.mjs http VARIABLE` asks the component that listens on the port in that
// variable, `health.mjs file VARIABLE` looks at the age of the file in it. Exits with 0 or 1, and says why in one line.
import { statSync } from 'node:fs'

const ANSWER_WITHIN_MS = 3_000
/**
 * The worker writes its file every 5 s while it is well. An outage of the database or the broker makes all workers unwell at
 * once, and a platform that replaced them for it would add their starts to the outage: only one that has been unwell for this
 * long is said to be. A worker that never was well has no file, and fails at once.
 */
const FRESH_SECONDS = 300

const checks = {
  async http(port) {
    const answer = await fetch(`http://127.0.0.1:${port}/health`, {
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    return [answer.status === 200, `/health answered ${answer.status}`]
  },
  async file(path) {
    const age = Math.round((Date.now() - statSync(path).mtimeMs) / 1000)
    // One from the future: the clock was set back.
    return [Math.abs(age) <= FRESH_SECONDS, `the worker was last well ${age} s ago`]
  },
}

const [kind, variable] = process.argv.slice(2)
const [well, says] = await checks[kind](process.env[variable]).catch((error) => [
  false,
  error.cause?.message ?? error.message,
])
console.log(says)
process.exitCode = well ? 0 : 1
