import type { Log } from './log.ts'

/** What was acquired, released in the opposite order. */
export interface Shutdown {
  /** Registers a release. `name` is what the log calls it. */
  add(name: string, release: () => Promise<unknown> | unknown): void
  /** Runs every release once, last acquired first; one that fails does not keep the others from running. */
  run(): Promise<void>
}

export function createShutdown(log: Log): Shutdown {
  const releases: { name: string; release: () => Promise<unknown> | unknown }[] = []
  let running: Promise<void> | undefined

  const runAll = async () => {
    for (const { name, release } of releases.reverse()) {
      try {
        await release()
      } catch (error) {
        log.error({ err: error }, `could not release ${name}`)
      }
    }
  }

  return {
    add: (name, release) => void releases.push({ name, release }),
    run: () => {
      running ??= runAll()
      return running
    },
  }
}

const PARENT_CHECK_MS = 500

const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/**
 * Resolves when the process is asked to stop: SIGTERM (a process manager or a container platform), SIGINT and
 * SIGHUP (a terminal), or, where it is started for its parent's sake, the end of the parent. Asking twice
 * changes nothing: what is being stopped in order must not be cut short.
 */
export function stopRequested({ withParent }: { withParent: boolean }): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of STOP_SIGNALS) process.on(signal, () => resolve(signal))
    if (withParent) whenParentEnds(() => resolve('parent ended'))
  })
}

/** By the channel to the parent where there is one; else by the number of the parent changing. */
function whenParentEnds(ended: () => void): void {
  if (process.send) {
    if (process.connected) process.once('disconnect', ended)
    else ended()
    return
  }
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    ended()
  }, PARENT_CHECK_MS)
  watch.unref()
}
