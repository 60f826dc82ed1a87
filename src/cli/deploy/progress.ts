import type { WriteStream } from 'node:tty'
import { printable } from '../../review/printable.ts'

/** What is told while something goes on: each line with the minutes and seconds since it began. */
export interface Progress {
  /** A line that stays. */
  say(line: string): void
  /** How things stand: on a terminal one line that changes; elsewhere a line when it has changed, or a minute passed. */
  stand(line: string): void
  /** Takes away what would stay of the changing line. */
  end(): void
}

const SILENT_MS = 60_000

export function createProgress(stream: WriteStream): Progress {
  const began = performance.now()
  let standing = ''
  let told = Number.NEGATIVE_INFINITY

  const elapsed = () => {
    const seconds = Math.floor((performance.now() - began) / 1000)
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  }
  const clear = () => {
    if (stream.isTTY) stream.write('\r\x1b[2K')
  }
  const write = (line: string, end: string) =>
    stream.write(`${elapsed().padStart(5)}  ${printable(line)}${end}`)

  return {
    say(line) {
      clear()
      write(line, '\n')
      if (stream.isTTY && standing) write(standing, '')
    },
    stand(line) {
      if (stream.isTTY) {
        clear()
        write(line, '')
      } else if (line !== standing || performance.now() - told > SILENT_MS) {
        write(line, '\n')
        told = performance.now()
      }
      standing = line
    },
    end() {
      clear()
      standing = ''
    },
  }
}
