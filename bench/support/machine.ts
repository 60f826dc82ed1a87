import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/**
 * The processors this process may run on, by their numbers.
 *
 * @throws Error where there is no /proc: CPU time and affinity are Linux's
 */
export function allowedCpus(): number[] {
  if (process.platform !== 'linux')
    throw new Error('This bench reads /proc and pins processes: it needs Linux.')
  const list = /^Cpus_allowed_list:\s+(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

/** Confines this process, all its threads, and whatever it starts from now on. */
export function confineSelf(processors: readonly number[]): void {
  const args = ['--all-tasks', '--cpu-list', '--pid', processors.join(','), String(process.pid)]
  // A thread may end between being listed and being confined.
  for (let tries = 1; ; tries += 1) {
    const { status, error, stderr } = spawnSync('taskset', args, { encoding: 'utf8' })
    if (status === 0) return
    if (tries === 3) throw new Error(`taskset failed: ${error?.message ?? stderr}`)
  }
}

/** What a figure was taken on, in one line. */
export function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  const load = loadavg()[0]?.toFixed(2)
  return `${model}, ${allowedCpus().length} processors, Node ${process.version}, load before the start ${load}, ${new Date().toISOString().slice(0, 10)}`
}
