import type { ChangedFile, Hunk, HunkLine } from '../../src/forges/change.ts'

/** What git would tell of a file with these lines before and after: a longest common subsequence, in hunks. */
export function changedFile(path: string, before: readonly string[], after: readonly string[]): ChangedFile {
  const status = before.length === 0 ? 'added' : 'modified'
  return { path, status, kind: 'text', hunks: hunksOf(diffLines(before, after)) }
}

function diffLines(before: readonly string[], after: readonly string[]): HunkLine[] {
  const common = table(before, after)
  const at = (i: number, j: number) => common[i]?.[j] ?? 0
  const lines: HunkLine[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const [old = '', text = ''] = [before[i], after[j]]
    if (i < before.length && j < after.length && old === text) {
      lines.push({ kind: 'context', text, oldLine: ++i, newLine: ++j })
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ kind: 'removed', text: old, oldLine: ++i })
    } else lines.push({ kind: 'added', text, newLine: ++j })
  }
  return lines
}

function table(before: readonly string[], after: readonly string[]): number[][] {
  const common = Array.from({ length: before.length + 1 }, () => Array<number>(after.length + 1).fill(0))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = common[i] as number[]
      const below = common[i + 1] as number[]
      row[j] = before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return common
}

/** Cuts a whole diff into hunks with three lines of context, as git does. */
function hunksOf(lines: readonly HunkLine[]): Hunk[] {
  const edits = lines.flatMap(({ kind }, at) => (kind === 'context' ? [] : [at]))
  const ranges: [number, number][] = []
  for (const at of edits) {
    const last = ranges.at(-1)
    const [from, to] = [Math.max(0, at - 3), Math.min(lines.length, at + 4)]
    if (last && from <= last[1]) last[1] = to
    else ranges.push([from, to])
  }
  return ranges.map(([from, to]) => {
    const part = lines.slice(from, to)
    const [oldStart = 0] = part.flatMap(({ oldLine }) => oldLine ?? [])
    const [newStart = 0] = part.flatMap(({ newLine }) => newLine ?? [])
    return { oldStart, newStart, section: '', lines: part }
  })
}
