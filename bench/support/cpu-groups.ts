import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { processTree } from './cpu-time.ts'

/** Groups of processes that share the processors by weight, as containers do. */
export interface CpuGroups {
  /** Puts a process and all its descendants into a group, which is made on first use. */
  add(group: string, pid: number): void
  /** When none of the processes lives any more. */
  remove(): void
}

/** What Linux gives every container that asks for nothing: 1,024 in version 1, 100 in version 2. */
const VERSIONS = [
  { root: '/sys/fs/cgroup/cpu', file: 'cpu.shares', usual: 1_024 },
  { root: '/sys/fs/cgroup', file: 'cpu.weight', usual: 100 },
]

/**
 * Makes control groups for processor time: equal ones, and the `favoured` with ten times as much.
 *
 * @returns why it cannot be done here, as text
 */
export function createCpuGroups(favoured: string): CpuGroups | string {
  const version = VERSIONS.find(({ root }) => isController(root))
  if (!version) return 'this system has no control groups for processor time'
  const { root, file, usual } = version
  const parent = path.join(root, `kodus-bench-${process.pid}`)
  const made: string[] = []
  const make = (directory: string, weight: number) => {
    mkdirSync(directory)
    made.push(directory)
    writeFileSync(path.join(directory, file), String(weight))
  }
  const delegate = (directory: string) => {
    if (file === 'cpu.weight') writeFileSync(path.join(directory, 'cgroup.subtree_control'), '+cpu')
  }
  const remove = () => {
    for (const directory of made.splice(0).reverse()) rmdirSync(directory)
  }
  try {
    delegate(root)
    // Whatever else runs on this machine competes with the parent, not with each group.
    make(parent, 10 * usual)
    delegate(parent)
  } catch (error) {
    remove()
    return `no control groups may be made here (${error instanceof Error ? error.message : error})`
  }
  return {
    add(group, pid) {
      const directory = path.join(parent, group)
      if (!existsSync(directory)) make(directory, group === favoured ? 10 * usual : usual)
      for (const each of processTree(pid)) writeFileSync(path.join(directory, 'cgroup.procs'), String(each))
    },
    remove,
  }
}

function isController(root: string): boolean {
  if (existsSync(path.join(root, 'cpu.shares'))) return true
  const controllers = path.join(root, 'cgroup.controllers')
  return existsSync(controllers) && readFileSync(controllers, 'utf8').split(/\s/).includes('cpu')
}
