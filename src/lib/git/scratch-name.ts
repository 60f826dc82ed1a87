import { hostname, tmpdir } from 'node:os'
import type { GitSettings } from './settings.ts'

/** Where scratch repositories are made. */
export function scratchRoot(settings: GitSettings): string {
  return settings.scratchRoot ?? tmpdir()
}

/**
 * How the names of this process's scratch repositories begin: with the machine, since containers may share
 * a directory but not their process ids, and the process.
 */
export function scratchPrefix(pid: number = process.pid): string {
  return `kodus-git-${machine()}-${pid}-`
}

/** The process of this machine that made the scratch repository of that name; undefined for any other name. */
export function scratchOwner(name: string): number | undefined {
  const [, made, pid] = /^kodus-git-(.+)-(\d{1,10})-[^-]+$/.exec(name) ?? []
  return made === machine() ? Number(pid) : undefined
}

function machine(): string {
  return hostname()
    .replace(/[^A-Za-z0-9.-]/g, '_')
    .slice(0, 64)
}
