import { after } from 'node:test'
import { Worker } from 'node:worker_threads'

/**
 * Loaded into every test file's process, for what `node --test` would let pass: a file that never ends, and
 * one that ends in the middle of its tests as if all were well. `--test-timeout` limits only a test.
 */
const FILE_LIMIT_MS = 5 * 60_000
/** For servers that a file started to stop, after its last test. */
const EXIT_LIMIT_MS = 60_000
/** A loop that lets no timer of its own thread run is ended from another. */
const BLOCKED_LIMIT_MS = FILE_LIMIT_MS + 10_000

// The runner itself loads this too, and has no tests.
if (process.env.NODE_TEST_CONTEXT !== undefined) {
  let finished = false
  after(() => {
    finished = true
    // Last of all that runs then: all others have been added by now.
    process.on('exit', leave)
    endAfter(EXIT_LIMIT_MS, `something is still open ${EXIT_LIMIT_MS / 1000} s after the last test`)
  })
  process.on('exit', () => {
    if (finished) return
    console.error(`${process.argv[1]}: ended in the middle of its tests`)
    process.exitCode ||= 1
  })
  endAfter(FILE_LIMIT_MS, `the file ran longer than ${FILE_LIMIT_MS / 1000} s`)
  const watchdog = `setTimeout(() => process.kill(${process.pid}, 'SIGKILL'), ${BLOCKED_LIMIT_MS})`
  new Worker(watchdog, { eval: true, execArgv: [] }).unref()
}

/**
 * After connections were cut in every way, Node 24.21 was seen to spin for ever in its own clean-up, when all tests
 * had ended and no thread was left to notice. This leaves without it.
 */
function leave(code: number): void {
  const { reallyExit } = process as unknown as { reallyExit(code: number): never }
  reallyExit(code)
}

function endAfter(ms: number, reason: string): void {
  const end = () => {
    const open = process.getActiveResourcesInfo()
    const list = [...new Set(open)].map((kind) => `${open.filter((each) => each === kind).length} ${kind}`)
    console.error(`${process.argv[1]}: ${reason} (${list.join(', ')})`)
    process.exit(1)
  }
  setTimeout(end, ms).unref()
}
