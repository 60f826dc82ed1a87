import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Answer, Question } from './custom-matcher.ts'

/** The program runs where this module does: as TypeScript here, bundled beside its chunks there. */
const PROGRAM = fileURLToPath(
  new URL(`./custom-matcher.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
)

const SHELL = '/bin/sh'
/** Seconds of processor time, on top of our own limits: they end with us, and this one does not. */
const LIMITED = 'ulimit -c 0; ulimit -t 180 || exit 126; exec "$@"'

/** Why the process gave no answer. */
export type NoAnswer = 'too slow' | 'ended'

export interface MatcherProcess {
  /** After `NoAnswer` the process is gone. @throws `signal.reason` if aborted */
  ask(question: Question, limitMs: number, signal: AbortSignal): Promise<Answer | NoAnswer>
  close(): void
}

/** Starts the program with nothing of our environment: it works for strangers, and has no use for our secrets. */
export function startMatcher(): MatcherProcess {
  const child = start()
  const gone = once(child, 'close').catch(() => undefined)
  // A question to a process that has just ended is answered by its end.
  child.on('error', () => {})
  return {
    async ask(question, limitMs, signal) {
      signal.throwIfAborted()
      const settled = new AbortController()
      let timer: NodeJS.Timeout | undefined
      const limits = AbortSignal.any([signal, settled.signal])
      try {
        const answered = once(child, 'message', { signal: limits }).then(([answer]) => answer as Answer)
        const slow = new Promise<NoAnswer>((resolve) => {
          timer = setTimeout(() => resolve('too slow'), limitMs)
        })
        child.send(question, () => {})
        const answer = await Promise.race([answered, slow, gone.then((): NoAnswer => 'ended')])
        if (typeof answer === 'string') child.kill('SIGKILL')
        answered.catch(() => {})
        return answer
      } catch (error) {
        child.kill('SIGKILL')
        signal.throwIfAborted()
        throw error
      } finally {
        clearTimeout(timer)
        settled.abort()
      }
    },
    close() {
      child.kill('SIGKILL')
    },
  }
}

function start(): ChildProcess {
  const node = [process.execPath, '--max-old-space-size=512', PROGRAM]
  // Where there is no POSIX shell (Windows), a process that outlives us spends what it likes.
  const [file = '', ...argv] = existsSync(SHELL) ? [SHELL, '-c', LIMITED, 'sh', ...node] : node
  return spawn(file, argv, {
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced',
    windowsHide: true,
  })
}
