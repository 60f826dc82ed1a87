import type { ReviewRequest } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'
import type { CommitRange } from '../lib/git/commit-range.ts'
import type { RemoteAccess } from '../lib/git/environment.ts'
import type { MirrorCache } from '../lib/git/mirror-cache.ts'
import type { LentMirror } from '../lib/git/mirror-shelf.ts'
import type { ObjectFormat, Scratch } from '../lib/git/scratch.ts'
import type { GitSettings } from '../lib/git/settings.ts'
import type { OpenChange } from './forge.ts'
import { openRange, type RangeSource } from './read-range.ts'

/** A remote that is read by way of its mirror. */
export interface MirroredRemote {
  mirrors: MirrorCache
  url: string
  format: ObjectFormat
  /** Asked for before each fetch: a token may expire while the change is open. */
  access(): Promise<RemoteAccess>
}

/** Fetches base and head, by whatever these names are at the remote. */
export type FetchRange = (names: {
  base: string
  head: string
}) => Promise<{ range: CommitRange; bytes: number }>

/**
 * Lays a change open that is read from a mirror, which is kept until the change is closed. A mirror that
 * turns out to be broken is dropped, and the change read from a new one, once; where that shows only while
 * the change is being read, the failure is transient, so that the next attempt has the new one.
 */
export async function openMirrored(
  settings: GitSettings,
  request: ReviewRequest,
  remote: MirroredRemote,
  signal: AbortSignal,
  find: (fetch: FetchRange) => ReturnType<FetchRange>,
): Promise<OpenChange> {
  for (let attempt = 1; ; attempt++) {
    const mirror = await remote.mirrors.lend(remote.url, remote.format)
    try {
      const open = await openRange(settings, request, signal, (scratch) =>
        prepareMirrored(scratch, mirror, remote, signal, find),
      )
      return keeping(mirror, open, signal)
    } catch (error) {
      const isBroken = !signal.aborted && (await mirror.suspect(error))
      await mirror.release()
      if (!isBroken || attempt > 1) throw error
    }
  }
}

async function prepareMirrored(
  scratch: Scratch,
  mirror: LentMirror,
  { format, access }: MirroredRemote,
  signal: AbortSignal,
  find: (fetch: FetchRange) => ReturnType<FetchRange>,
): Promise<RangeSource> {
  await scratch.init(format, signal)
  const { range, bytes } = await find(async (names) =>
    mirror.fetchRange(scratch, await access(), names, signal),
  )
  return {
    range,
    fetchedBytes: bytes,
    fetchBlobs: async (ids) => await mirror.fetchBlobs(scratch, await access(), ids, signal),
    fetchCommit: async (id) => await mirror.fetchCommit(await access(), id, signal),
  }
}

/** The same change, which gives the mirror back when it is closed, and tells it of failures. */
function keeping(mirror: LentMirror, open: OpenChange, signal: AbortSignal): OpenChange {
  const telling = async <T>(reading: Promise<T>): Promise<T> => {
    try {
      return await reading
    } catch (error) {
      if (signal.aborted || !(error instanceof KodusError) || !(await mirror.suspect(error))) throw error
      const { code, message, help } = error
      throw new KodusError(code, message, { help, retryability: 'transient', cause: error })
    }
  }
  return {
    change: open.change,
    readFile: (side, path) => telling(open.readFile(side, path)),
    changedSince: (commit, paths) => telling(open.changedSince(commit, paths)),
    async close() {
      await open.close()
      await mirror.release()
    },
  }
}
