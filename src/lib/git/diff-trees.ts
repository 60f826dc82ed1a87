import { KodusError } from '../errors.ts'
import { type Hunk, parsePatch } from './parse-patch.ts'
import { parseRaw, type RawEntry } from './parse-raw.ts'
import type { Scratch } from './scratch.ts'

/** Two commits, or trees, to compare. */
export interface TreePair {
  from: string
  to: string
}

export type FileKind = 'text' | 'binary' | 'symlink' | 'submodule'

/** As git's own `diff.renameLimit`: above it, comparing each new file with each old one takes too long. */
export const MAX_RENAME_CANDIDATES = 1000

const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-relative', '--ignore-submodules=none']

const RAW = ['--raw', '-z', '--no-abbrev']

/** What the trees alone tell: a renamed file is one deleted and one added. No blob is read. */
export async function listByTrees(
  { git, gitDir }: Scratch,
  { from, to }: TreePair,
  signal: AbortSignal,
): Promise<RawEntry[]> {
  const args = ['diff-tree', '-r', ...PLAIN, '--no-renames', ...RAW, from, to, '--']
  return parseRaw((await git({ gitDir, args }, signal)).stdout)
}

/** The same with renames found, and binaries told from texts: for that the blobs of all entries are read. */
export async function listByContent(
  { git, gitDir }: Scratch,
  { from, to }: TreePair,
  signal: AbortSignal,
): Promise<RawEntry[]> {
  const list = async (renames: string) => {
    const limit = `-l${MAX_RENAME_CANDIDATES}`
    const args = ['diff-tree', '-r', ...PLAIN, renames, limit, ...RAW, '--numstat', from, to, '--']
    return parseRaw((await git({ gitDir, args }, signal)).stdout)
  }
  try {
    return await list('-M')
  } catch (error) {
    // Comparing two huge files for similarity needs both in memory. Renames without edits need neither.
    if (!(error instanceof KodusError) || error.code !== 'GIT_TOO_LARGE') throw error
    return await list('-M100%')
  }
}

/**
 * The hunks of all texts, by their number in `entries`, from one diff of two trees made for it: they hold
 * the texts alone, named by number. So no path can be misread in the patch, and no large binary is loaded
 * (git does load one that is added, to say no more than that it differs).
 */
export async function diffTexts(
  scratch: Scratch,
  entries: readonly RawEntry[],
  signal: AbortSignal,
): Promise<Map<number, Hunk[]>> {
  const texts = (side: 'old' | 'new') =>
    entries.map((entry) => {
      const mode = side === 'old' ? entry.oldMode : entry.newMode
      const id = side === 'old' ? entry.oldId : entry.newId
      return kindOf(entry) === 'text' && isRegular(mode) ? { mode: '100644', id } : ABSENT
    })
  const { git, gitDir } = scratch
  const trees = [await makeTree(scratch, texts('old'), signal), await makeTree(scratch, texts('new'), signal)]
  const format = ['--patch', '-U3', '--inter-hunk-context=0', '--diff-algorithm=default']
  const prefixes = ['--src-prefix=a/', '--dst-prefix=b/']
  const args = ['diff-tree', ...PLAIN, '--no-renames', ...format, ...prefixes, ...trees, '--']
  return parsePatch((await git({ gitDir, args }, signal)).stdout)
}

const ABSENT = { mode: '000000', id: '' }

/** A tree of these objects, named by their place in the list. */
export async function makeTree(
  { git, gitDir }: Scratch,
  objects: readonly { mode: string; id: string }[],
  signal: AbortSignal,
): Promise<string> {
  const input = objects.map(({ mode, id }, number) => {
    if (mode === ABSENT.mode) return ''
    return `${mode} ${mode === '160000' ? 'commit' : 'blob'} ${id}\t${number}\n`
  })
  const { stdout } = await git({ gitDir, args: ['mktree'], input: input.join('') }, signal)
  return stdout.toString().trim()
}

/** What an entry is at its new side; where it is deleted, what it was. */
export function kindOf(entry: RawEntry): FileKind {
  const mode = entry.status === 'D' ? entry.oldMode : entry.newMode
  if (mode === '160000') return 'submodule'
  if (mode === '120000') return 'symlink'
  return entry.binary ? 'binary' : 'text'
}

export function isRegular(mode: string): boolean {
  return mode.startsWith('100')
}
