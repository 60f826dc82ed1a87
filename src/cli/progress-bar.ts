import type { WriteStream } from 'node:tty'

const WIDTH = 24

/** A bar on one line of a terminal; nothing at all in a pipe. */
export function createProgressBar(
  stream: WriteStream,
  total: number,
): { next(label: string): void; end(): void } {
  let begun = 0
  return {
    next(label) {
      const filled = Math.round((WIDTH * begun) / total)
      begun += 1
      if (stream.isTTY) stream.write(`\r\x1b[2K${'━'.repeat(filled)}${'─'.repeat(WIDTH - filled)} ${label}`)
    },
    end() {
      if (stream.isTTY) stream.write('\r\x1b[2K')
    },
  }
}
