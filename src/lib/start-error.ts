import { asKodusError } from './errors.ts'
import { createLog } from './log.ts'

/**
 * Makes a component that cannot start say why in one coded line, and exit with 1. Covers the top level of
 * its `main.ts`, and whatever nobody caught later: a process in an unknown state is better restarted.
 */
export function exitOnStartError(component: string): void {
  const exit = (thrown: unknown) => {
    const error = asKodusError(thrown)
    const stack = error.code === 'UNEXPECTED' ? { err: thrown } : {}
    createLog(component).error({ code: error.code, help: error.help, ...stack }, error.message)
    process.exit(1)
  }
  // `src/main.ts` registers first, then the component it loads: the last one names itself.
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', exit)
}
