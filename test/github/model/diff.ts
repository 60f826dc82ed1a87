import { git, gitBytes, gitOfCommits } from './git.ts'

export interface DiffFile {
  path: string
  previousPath?: string
  status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed'
  /** The blob (or submodule commit) at head; at base, when it was removed. */
  sha: string
  additions: number
  deletions: number
  /** From the first `@@` on, without a newline at its end; absent where GitHub shows none. */
  patch?: string
}

/** Where a comment may stand. */
export interface DiffPosition {
  /** Lines below the first `@@` of the file. */
  position: number
  /** Which hunk of the file. */
  hunk: number
  /** The hunk down to this line, as GitHub quotes it. */
  diffHunk: string
}

/** GitHub shows no patch for a larger single file: docs.github.com, "Limits for viewing content and diffs". */
const MAX_PATCH_LINES = 20_000
const MAX_PATCH_BYTES = 500_000

/** What a commit changes since it parted from base, as GitHub's API lists it. */
export function diffSinceMergeBase(directory: string, base: string, head: string): DiffFile[] {
  return diff(directory, mergeBase(directory, base, head), head)
}

export function mergeBase(directory: string, base: string, head: string): string {
  try {
    return gitOfCommits(directory, ['merge-base', base, head])
  } catch {
    // Unrelated histories: everything is new.
    return git(directory, ['hash-object', '-t', 'tree', '/dev/null'])
  }
}

function diff(directory: string, from: string, to: string): DiffFile[] {
  const options = ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--find-renames', '--no-abbrev']
  const raw = gitBytes(directory, [...options, '--raw', '--numstat', '-z', from, to]).toString()
  const patches = splitPatches(gitBytes(directory, [...options, '--patch', from, to]).toString())
  let next = 0
  return parseRaw(raw).map(({ status: letter, ...file }) => {
    // git shows a changed type (a file that became a link) as a removal and an addition.
    const sections = patches.slice(next, next + (letter === 'T' ? 2 : 1))
    next += sections.length
    const status = STATUS[letter] ?? 'changed'
    const patch = sections.join('\n')
    return { ...file, status, ...(isShown(patch) && { patch }) }
  })
}

const STATUS: Record<string, DiffFile['status']> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
}

function isShown(patch: string): boolean {
  return (
    patch !== '' && Buffer.byteLength(patch) <= MAX_PATCH_BYTES && patch.split('\n').length <= MAX_PATCH_LINES
  )
}

/** `--raw --numstat -z`: all raw entries, then all counts, each with NUL between its names. */
function parseRaw(output: string): (Omit<DiffFile, 'status' | 'patch'> & { status: string })[] {
  const fields = output.split('\0')
  const files: (Omit<DiffFile, 'status' | 'patch'> & { status: string })[] = []
  let at = 0
  const take = () => fields[at++] ?? ''
  while (fields[at]?.startsWith(':')) {
    const [, , before = '', after = '', letter = ''] = take().split(' ')
    const status = letter.charAt(0)
    const first = take()
    const renamed = status === 'R' || status === 'C'
    const path = renamed ? take() : first
    const sha = status === 'D' ? before : after
    files.push({ path, ...(renamed && { previousPath: first }), status, sha, additions: 0, deletions: 0 })
  }
  for (const file of files) {
    const [additions, deletions, name] = take().split('\t')
    // Binary files have `-` for both.
    file.additions = Number(additions) || 0
    file.deletions = Number(deletions) || 0
    if (name === '') at += 2
  }
  return files
}

/** Each file's hunks; empty for those without any (binary, renamed only, mode only). */
function splitPatches(output: string): string[] {
  return output
    .split(/^diff --git .*\n/m)
    .slice(1)
    .map((section) => {
      const start = section.search(/^@@ /m)
      return start < 0 ? '' : section.slice(start).replace(/\n$/, '')
    })
}

/** Finds a line in a patch; undefined when the patch does not show it on this side. */
export function findPosition(patch: string, side: 'LEFT' | 'RIGHT', line: number): DiffPosition | undefined {
  let before = 0
  let after = 0
  let hunk = 0
  let start = 0
  const lines = patch.split('\n')
  for (const [position, text] of lines.entries()) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text)
    if (header) {
      before = Number(header[1])
      after = Number(header[2])
      hunk += 1
      start = position
      continue
    }
    const onLeft = text.startsWith('-') || text.startsWith(' ')
    const onRight = text.startsWith('+') || text.startsWith(' ')
    const here = side === 'LEFT' ? onLeft && before === line : onRight && after === line
    if (here) return { position, hunk, diffHunk: lines.slice(start, position + 1).join('\n') }
    if (onLeft) before += 1
    if (onRight) after += 1
  }
  return undefined
}

/** The line that `position` lines below the first `@@` stand for. */
export function lineAtPosition(
  patch: string,
  position: number,
): { side: 'LEFT' | 'RIGHT'; line: number } | undefined {
  let before = 0
  let after = 0
  for (const [index, text] of patch.split('\n').entries()) {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text)
    if (header) {
      before = Number(header[1])
      after = Number(header[2])
      continue
    }
    if (index === position) {
      if (text.startsWith('-')) return { side: 'LEFT', line: before }
      return text.startsWith('\\') ? undefined : { side: 'RIGHT', line: after }
    }
    if (!text.startsWith('+') && !text.startsWith('\\')) before += 1
    if (!text.startsWith('-') && !text.startsWith('\\')) after += 1
  }
  return undefined
}

/** Where a line of a file at `from` is at `to`; undefined when it is gone or changed. */
export function followLine(
  directory: string,
  { from, to, path, line }: { from: string; to: string; path: string; line: number },
): number | undefined {
  if (from === to) return line
  const args = ['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames', '-U0', from, to]
  const hunks = gitBytes(directory, [...args, '--', path]).toString()
  if (/^deleted file/m.test(hunks)) return undefined
  let shift = 0
  for (const match of hunks.matchAll(/^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/gm)) {
    const start = Number(match[1])
    const removed = Number(match[2] ?? 1)
    const added = Number(match[3] ?? 1)
    if (removed === 0 ? line <= start : line < start) break
    if (removed > 0 && line < start + removed) return undefined
    shift += added - removed
  }
  return line + shift
}
