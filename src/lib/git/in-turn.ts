/** Runs one piece of work at a time, in the order in which it was asked for. */
export type Turns = <T>(work: () => Promise<T>, signal: AbortSignal) => Promise<T>

/** An aborted signal ends the wait for a turn at once. Work that has begun is waited for: it has the signal itself. */
export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve()
  return async (work, signal) => {
    const before = last
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    // Whoever gives up does not let the next one overtake those before.
    last = before.then(() => ended)
    try {
      await unlessAborted(before, signal)
      return await work()
    } finally {
      end()
    }
  }
}

async function unlessAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let onAbort = () => {}
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    await Promise.race([wait, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
