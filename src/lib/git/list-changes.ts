import {
  diffTexts,
  type FileKind,
  isRegular,
  kindOf,
  listByContent,
  listByTrees,
  MAX_RENAME_CANDIDATES,
  makeTree,
  type TreePair,
} from './diff-trees.ts'
import type { Hunk } from './parse-patch.ts'
import type { RawEntry } from './parse-raw.ts'
import type { Scratch } from './scratch.ts'

/** A file that differs between the merge base and head. */
export interface ChangedFile {
  /** Path at head (for a deleted file: before), with `/` separators, relative to the repository. */
  path: string
  /** Path before, where it differs. */
  previousPath?: string
  status: 'added' | 'modified' | 'renamed' | 'deleted'
  /** At head; for a deleted file, before. A text larger than the limit counts as binary. */
  kind: FileKind
  /** Of text alone. */
  hunks: Hunk[]
}

export interface ListedFile extends ChangedFile {
  /** The object at head; absent for a deleted file. */
  id?: string
}

const STATUS = { A: 'added', D: 'deleted', M: 'modified', T: 'modified', R: 'renamed' } as const
/** Makes sure that these blobs are there before they are read: see `find-missing.ts`. */
export type BringBlobs = (ids: readonly string[]) => Promise<void>

/**
 * What `to` changes since `from`. Attributes, filters, text conversion and external diffs have no say: a
 * change cannot hide itself by `.gitattributes`.
 *
 * @param bring where the blobs may be missing: trees alone tell which ones it takes, renames included, since
 *   a rename pairs two files that the trees show as deleted and added
 * @throws KodusError GIT_TOO_LARGE, GIT_TREE_REFUSED
 */
export async function listChanges(
  scratch: Scratch,
  pair: TreePair,
  signal: AbortSignal,
  bring?: BringBlobs,
): Promise<ListedFile[]> {
  if (bring) await bring(blobsOf(await listByTrees(scratch, pair, signal)))
  return await withHunks(scratch, await listByContent(scratch, pair, signal), signal)
}

/**
 * The same for some files alone, named by their path at either side. A rename is found also where only one
 * of its two paths was named; among more than a thousand files that came or went it is told as a file added.
 */
export async function listChangesOf(
  scratch: Scratch,
  pair: TreePair,
  paths: readonly string[],
  signal: AbortSignal,
  bring?: BringBlobs,
): Promise<ListedFile[]> {
  const named = new Set(paths)
  const all = await listByTrees(scratch, pair, signal)
  const entries = withRenameCandidates(all, named)
  await bring?.(blobsOf(entries))

  // Trees of these files alone, named by number: git pairs the renames among them, and looks at no others.
  const old = entries.map(({ oldMode, oldId }) => ({ mode: oldMode, id: oldId }))
  const now = entries.map(({ newMode, newId }) => ({ mode: newMode, id: newId }))
  const numbered = { from: await makeTree(scratch, old, signal), to: await makeTree(scratch, now, signal) }
  const pathOf = (number: string) => entries[Number(number)]?.path ?? number
  const found = (await listByContent(scratch, numbered, signal)).map(({ previousPath, path, ...entry }) => ({
    ...entry,
    path: pathOf(path),
    ...(previousPath === undefined ? {} : { previousPath: pathOf(previousPath) }),
  }))
  const asked = found.filter(({ path, previousPath }) => named.has(path) || named.has(previousPath ?? path))
  return await withHunks(scratch, asked, signal)
}

/** The named entries, and those that could be the other half of a rename. */
function withRenameCandidates(entries: readonly RawEntry[], named: ReadonlySet<string>): RawEntry[] {
  const own = entries.filter(({ path }) => named.has(path))
  const came = own.some(({ status }) => status === 'A')
  const went = own.some(({ status }) => status === 'D')
  const others = entries.filter(
    ({ path, status }) => !named.has(path) && ((status === 'D' && came) || (status === 'A' && went)),
  )
  return others.length > MAX_RENAME_CANDIDATES ? own : [...own, ...others]
}

/** What git reads to compare them: files and links at both sides. A submodule's commit is not read. */
function blobsOf(entries: readonly RawEntry[]): string[] {
  const sides = entries.flatMap(({ oldMode, oldId, newMode, newId }) => [
    { mode: oldMode, id: oldId },
    { mode: newMode, id: newId },
  ])
  const ids = sides.flatMap(({ mode, id }) => (isRegular(mode) || mode === '120000' ? [id] : []))
  return [...new Set(ids)]
}

async function withHunks(
  scratch: Scratch,
  entries: readonly RawEntry[],
  signal: AbortSignal,
): Promise<ListedFile[]> {
  const patch = await diffTexts(scratch, entries, signal)
  return entries.map((entry, number) => fileChange(entry, patch.get(number) ?? []))
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

/** git looks for NUL in the first 8000 bytes only; no text has one anywhere, and no database stores it. */
function hasNul(hunks: readonly Hunk[]): boolean {
  return hunks.some(({ lines }) => lines.some(({ text }) => text.includes('\0')))
}
