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

/**
 * Resolves when the process is asked to stop: SIGTERM (PM2, Docker, ECS), SIGINT (a terminal), or, for a
 * child that `kodus up` started, the end of its parent.
 */
export function stopRequested(options: { withParent: boolean }): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'))
    process.once('SIGINT', () => resolve('SIGINT'))
    if (options.withParent) process.once('disconnect', () => resolve('parent ended'))
  })
}
