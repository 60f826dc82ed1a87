import { KodusError } from '../errors.ts'
import type { CommitRange } from './commit-range.ts'
import { type Hunk, parsePatch } from './parse-patch.ts'
import { parseRaw, type RawEntry } from './parse-raw.ts'
import type { Scratch } from './scratch.ts'

/** A file that differs between the merge base and head. */
export interface ChangedFile {
  /** Path at head (for a deleted file: before), with `/` separators, relative to the repository. */
  path: string
  /** Path before, where it differs. */
  previousPath?: string
  status: 'added' | 'modified' | 'renamed' | 'deleted'
  /** At head; for a deleted file, before. A text larger than the limit counts as binary. */
  kind: 'text' | 'binary' | 'symlink' | 'submodule'
  /** Of text alone. */
  hunks: Hunk[]
}

export interface ListedFile extends ChangedFile {
  /** The object at head; absent for a deleted file. */
  id?: string
}

const STATUS = { A: 'added', D: 'deleted', M: 'modified', T: 'modified', R: 'renamed' } as const
const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-relative', '--ignore-submodules=none']

/**
 * What head changes since the merge base. Attributes, filters, text conversion and external diffs have no
 * say: a change cannot hide itself by `.gitattributes`.
 *
 * @throws KodusError GIT_TOO_LARGE, GIT_TREE_REFUSED
 */
export async function listChanges(
  scratch: Scratch,
  range: CommitRange,
  signal: AbortSignal,
): Promise<ListedFile[]> {
  const entries = await listEntries(scratch, range, signal)
  const patch = await diffTexts(scratch, entries, signal)
  return entries.map((entry, number) => fileChange(entry, patch.get(number) ?? []))
}

async function listEntries(
  { git, gitDir }: Scratch,
  { mergeBase, head }: CommitRange,
  signal: AbortSignal,
): Promise<RawEntry[]> {
  const list = async (renames: string) => {
    const format = ['--raw', '--numstat', '-z', '--no-abbrev']
    const args = ['diff-tree', '-r', ...PLAIN, renames, '-l1000', ...format, mergeBase, head, '--']
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
async function diffTexts(
  { git, gitDir }: Scratch,
  entries: readonly RawEntry[],
  signal: AbortSignal,
): Promise<Map<number, Hunk[]>> {
  const makeTree = async (side: 'old' | 'new') => {
    const input = entries.map((entry, number) => {
      const mode = side === 'old' ? entry.oldMode : entry.newMode
      const id = side === 'old' ? entry.oldId : entry.newId
      return kindOf(entry) === 'text' && isRegular(mode) ? `100644 blob ${id}\t${number}\n` : ''
    })
    const { stdout } = await git({ gitDir, args: ['mktree'], input: input.join('') }, signal)
    return stdout.toString().trim()
  }
  const format = ['--patch', '-U3', '--inter-hunk-context=0', '--diff-algorithm=default']
  const prefixes = ['--src-prefix=a/', '--dst-prefix=b/']
  const trees = [await makeTree('old'), await makeTree('new')]
  const args = ['diff-tree', ...PLAIN, '--no-renames', ...format, ...prefixes, ...trees, '--']
  return parsePatch((await git({ gitDir, args }, signal)).stdout)
}

function fileChange(entry: RawEntry, hunks: Hunk[]): ListedFile {
  const kind = hasNul(hunks) ? 'binary' : kindOf(entry)
  return {
    path: entry.path,
    ...(entry.previousPath === undefined ? {} : { previousPath: entry.previousPath }),
    status: STATUS[entry.status],
    kind,
    hunks: kind === 'text' ? hunks : [],
    ...(entry.status === 'D' ? {} : { id: entry.newId }),
  }
}

function kindOf(entry: RawEntry): ChangedFile['kind'] {
  const mode = entry.status === 'D' ? entry.oldMode : entry.newMode
  if (mode === '160000') return 'submodule'
  if (mode === '120000') return 'symlink'
  return entry.binary ? 'binary' : 'text'
}

function isRegular(mode: string): boolean {
  return mode.startsWith('100')
}

/** git looks for NUL in the first 8000 bytes only; no text has one anywhere, and no database stores it. */
function hasNul(hunks: readonly Hunk[]): boolean {
  return hunks.some(({ lines }) => lines.some(({ text }) => text.includes('\0')))
}
