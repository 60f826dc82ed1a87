import type { ReviewRequest } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'
import type { CommitRange } from '../lib/git/commit-range.ts'
import { findMissing } from '../lib/git/find-missing.ts'
import { type ListedFile, listChanges, listChangesOf } from '../lib/git/list-changes.ts'
import { isCommitId } from '../lib/git/ref.ts'
import { createScratch, type Scratch } from '../lib/git/scratch.ts'
import type { GitLimits, GitSettings } from '../lib/git/settings.ts'
import { findBlob, readText, readTexts } from '../lib/git/show-file.ts'
import type { ChangedFile } from './change.ts'
import { MAX_FILE_BYTES, type OpenChange } from './forge.ts'

/** A range that can be read, and where what it lacks can be had. Fetches return bytes of packs. */
export interface RangeSource {
  range: CommitRange
  /** So far. */
  fetchedBytes: number
  /** Absent where no blob is ever missing. */
  fetchBlobs?(ids: readonly string[]): Promise<number>
  /**
   * Gets a commit that is not there. Absent where there is nobody to ask.
   *
   * @throws KodusError GIT_REF_NOT_FOUND
   */
  fetchCommit?(id: string): Promise<number>
}

/** The file that every review asks for at base: brought with the first blobs, it costs no fetch of its own. */
const READ_ALWAYS = 'kodus-config.yml'

/** Files of a change that are read together, in its order: whoever asks for one asks for the next. */
const READ_TOGETHER = 32
const MAX_READ_TOGETHER_BYTES = 8 * MAX_FILE_BYTES

/** What counts as text in a diff is what `readFile` is willing to read. */
export function withTextLimit(settings: GitSettings, limits: Partial<GitLimits> = {}): GitSettings {
  return { ...settings, limits: { ...settings.limits, ...limits, textBytes: MAX_FILE_BYTES } }
}

/**
 * Lays a change open, in a scratch repository of its own that `prepare` fills.
 *
 * Blobs that may be missing are looked for and fetched before git reads them, all in one fetch. A blob that is
 * asked for by its id comes whatever its size, and no server says the size before: so even one that is too
 * large to be reviewed is fetched, within the limits of any fetch (`GitLimits`).
 */
export async function openRange(
  settings: GitSettings,
  request: ReviewRequest,
  signal: AbortSignal,
  prepare: (scratch: Scratch) => Promise<RangeSource>,
): Promise<OpenChange> {
  const scratch = await createScratch(settings, signal)
  try {
    return await openPrepared(scratch, request, await prepare(scratch), signal)
  } catch (error) {
    await scratch.remove()
    throw error
  }
}

async function openPrepared(
  scratch: Scratch,
  { repository, title, description }: ReviewRequest,
  source: RangeSource,
  signal: AbortSignal,
): Promise<OpenChange> {
  const { range } = source
  let { fetchedBytes } = source
  const present = new Set<string>()
  const bring = async (ids: readonly string[]) => {
    if (!source.fetchBlobs) return
    const unknown = ids.filter((id) => !present.has(id))
    const missing = await findMissing(scratch, unknown, signal)
    if (missing.length > 0) fetchedBytes += await source.fetchBlobs(missing)
    for (const id of unknown) present.add(id)
  }

  const readAlways = source.fetchBlobs && (await findBlob(scratch, range.base, READ_ALWAYS, signal))
  const bringAll =
    source.fetchBlobs && ((ids: readonly string[]) => bring(readAlways ? [...ids, readAlways] : ids))
  const pair = { from: range.mergeBase, to: range.head }
  const listed = await listChanges(scratch, pair, signal, bringAll)
  // The ids are known already, and a path that is not UTF-8 could not be looked up by its text.
  const atHead = new Map(listed.filter(({ kind }) => kind === 'text').map(({ path, id }) => [path, id]))
  const ahead = readAhead(
    scratch,
    [...atHead.values()].filter((id) => id !== undefined),
    signal,
  )
  return {
    change: {
      repository,
      ...range,
      title,
      description,
      files: listed.map(withoutId),
      // What later reads fetch is counted too.
      get fetchedBytes() {
        return fetchedBytes
      },
    },
    async readFile(side, path) {
      const known = side === 'head' ? atHead.get(path) : undefined
      const id = known ?? (await findBlob(scratch, range[side], path, signal))
      if (id === undefined) return undefined
      await bring([id])
      return (await ahead(id)) ?? (await readText(scratch, id, MAX_FILE_BYTES, signal))
    },
    async changedSince(commit, paths) {
      if (!isCommitId(commit) || commit.length !== range.head.length) return undefined
      if ((await findMissing(scratch, [commit], signal)).length > 0) {
        const bytes = await fetchIfThere(source, commit)
        if (bytes === undefined) return undefined
        fetchedBytes += bytes
      }
      const since = { from: commit, to: range.head }
      return (await listChangesOf(scratch, since, paths, signal, bring)).map(withoutId)
    },
    close: () => scratch.remove(),
  }
}

/** Reads a blob of a list together with those behind it, and keeps these until they are asked for. */
function readAhead(
  scratch: Scratch,
  ids: readonly string[],
  signal: AbortSignal,
): (id: string) => Promise<string | undefined> {
  const places = new Map(ids.map((id, place) => [id, place]))
  let read = new Map<string, string>()
  return async (id) => {
    const place = places.get(id)
    if (place === undefined) return undefined
    if (!read.has(id)) {
      const together = ids.slice(place, place + READ_TOGETHER)
      read = (await readTexts(scratch, together, MAX_READ_TOGETHER_BYTES, signal)) ?? new Map()
    }
    const text = read.get(id)
    read.delete(id)
    return text
  }
}

/** Bytes of packs; undefined where the commit is gone. */
async function fetchIfThere({ fetchCommit }: RangeSource, commit: string): Promise<number | undefined> {
  try {
    return await fetchCommit?.(commit)
  } catch (error) {
    if (error instanceof KodusError && error.code === 'GIT_REF_NOT_FOUND') return undefined
    throw error
  }
}

function withoutId({ id: _, ...file }: ListedFile): ChangedFile {
  return file
}
