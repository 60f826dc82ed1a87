import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'

export interface InspectedProcess {
  /** Seconds since 1970. */
  startedAt: number
  /** Whether it is a PostgreSQL server on this data directory (an absolute path without symbolic links). */
  isServerOf(data: string): boolean
}

/** What a running process is, as the operating system tells it: `unknown` where it does not. */
export function inspectProcess(pid: number): InspectedProcess | 'gone' | 'foreign' | 'unknown' {
  return process.platform === 'linux' ? inspectWithProc(pid) : inspectWithPs(pid)
}

function inspectWithProc(pid: number): ReturnType<typeof inspectProcess> {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name, in parentheses, may hold anything. After it: state, …, and as field 22 of the line
    // the start in ticks since boot, of which Linux shows programs 100 a second on every machine.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return 'gone'
    const booted = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1])
    const program = path.basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '')
    const directory = readlinkSync(`/proc/${pid}/cwd`)
    return {
      startedAt: booted + Number(fields[19]) / 100,
      // A server makes its data directory its working directory.
      isServerOf: (data) => program === 'postgres' && directory === data,
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return 'gone'
    // Another account's process: not a server on a directory of ours, which PostgreSQL would refuse.
    return code === 'EACCES' || code === 'EPERM' ? 'foreign' : 'unknown'
  }
}

/** For systems without /proc; also what `ps` of any Unix can say. */
export function inspectWithPs(pid: number): ReturnType<typeof inspectProcess> {
  let line: string
  try {
    process.kill(pid, 0)
    line = execFileSync('ps', ['-ww', '-p', String(pid), '-o', 'etime=', '-o', 'command='], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return 'gone'
    return code === 'EPERM' ? 'foreign' : 'unknown'
  }
  const [, days = 0, hours = 0, minutes, seconds, command] =
    /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+) +(.*)$/.exec(line) ?? []
  if (command === undefined) return 'unknown'
  const elapsed = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)
  return {
    startedAt: Date.now() / 1000 - elapsed,
    isServerOf: (data) => command.includes(`postgres -D ${data} `),
  }
}
