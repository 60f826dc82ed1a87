import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { git } from '../test/github/model/git.ts'
import type { GitHub, Repository } from '../test/github/server.ts'

/** A pull request that is to be opened, and the commits that will be pushed to it. */
export interface Branch {
  repository: Repository
  name: string
  /** The first is where the branch is; each has one mistake more than the one before. */
  commits: string[]
}

const BASE = 'def total(items):\n    return sum(items)\n'
const WHEN = 1_760_000_000

/**
 * Creates a repository with its branches in it, in one go: making thousands of commits one by one would take
 * longer than reviewing them.
 */
export function createBranches(
  github: GitHub,
  name: string,
  branches: readonly { commits: number }[],
): Branch[] {
  const repository = github.createRepository(name, { files: { 'orders.py': BASE } })
  const base = repository.head('main')
  const marks = path.join(repository.directory, 'marks')
  const stream: string[] = []
  let mark = 0
  const marked = branches.map(({ commits }, index) => {
    const ofBranch: number[] = []
    for (let nth = 1; nth <= commits; nth++) {
      mark += 1
      const text = fileWith(index, nth)
      stream.push(
        `commit refs/kodus-chaos/${index}\nmark :${mark}\ncommitter Mona <mona@example.com> ${WHEN + nth} +0000\n`,
        `data 6\nChange\nfrom ${nth === 1 ? base : `:${mark - 1}`}\n`,
        `M 100644 inline orders_${index}.py\ndata ${Buffer.byteLength(text)}\n${text}\n`,
      )
      ofBranch.push(mark)
    }
    stream.push(`reset refs/heads/topic-${index}\nfrom :${ofBranch[0]}\n\n`)
    return ofBranch
  })
  git(
    repository.directory,
    ['fast-import', '--quiet', '--force', `--export-marks=${marks}`],
    Buffer.from(stream.join('')),
  )
  const ids = new Map(
    readFileSync(marks, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  )
  rmSync(marks)
  return marked.map((ofBranch, index) => ({
    repository,
    name: `topic-${index}`,
    commits: ofBranch.map((each) => ids.get(`:${each}`) ?? ''),
  }))
}

/** One function more for each commit, each with a default that all calls share: what a rule finds. */
function fileWith(index: number, functions: number): string {
  const one = (nth: number) =>
    `def order_${index}_${nth}(item, seen=[]):\n    seen.append(item)\n    return seen\n`
  return Array.from({ length: functions }, (_, nth) => one(nth)).join('\n\n')
}
