import { readdirSync, readFileSync } from 'node:fs'

/** Linux shows times to programs in hundredths of a second, whatever its own clock is. */
const TICKS_PER_SECOND = 100

interface Times {
  parent: number
  ticks: number
}

/**
 * Seconds of processor time that each process has used so far, with all its descendants: those that run, and
 * those that ended and were waited for.
 */
export function cpuSeconds(roots: readonly number[]): number[] {
  const processes = readProcesses()
  return roots.map((root) => {
    let ticks = 0
    for (const [pid, times] of processes) if (descendsFrom(processes, pid, root)) ticks += times.ticks
    return ticks / TICKS_PER_SECOND
  })
}

/** A process that runs, and all its descendants. */
export function processTree(root: number): number[] {
  const processes = readProcesses()
  return [...processes.keys()].filter((pid) => descendsFrom(processes, pid, root))
}

function descendsFrom(processes: Map<number, Times>, pid: number, root: number): boolean {
  for (let ancestor: number | undefined = pid; ancestor; ancestor = processes.get(ancestor)?.parent) {
    if (ancestor === root) return true
  }
  return false
}

function readProcesses(): Map<number, Times> {
  const processes = new Map<number, Times>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      processes.set(Number(name), parse(readFileSync(`/proc/${name}/stat`, 'utf8')))
    } catch {
      // It ended just now: what it used is its parent's by then.
    }
  }
  return processes
}

/** proc(5): the name in parentheses may hold anything; after it come state, ppid, …, utime, stime, cutime, cstime. */
function parse(stat: string): Times {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number)
  return {
    parent: Number(fields[1]),
    ticks: (utime ?? 0) + (stime ?? 0) + (cutime ?? 0) + (cstime ?? 0),
  }
}
