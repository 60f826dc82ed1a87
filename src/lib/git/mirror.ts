import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KodusError } from '../errors.ts'
import type { CommitRange } from './commit-range.ts'
import type { RemoteAccess } from './environment.ts'
import { fetchFrom } from './fetch.ts'
import { DEPTHS, fetchRange } from './fetch-range.ts'
import { findMissing } from './find-missing.ts'
import { orDiskFull } from './git-error.ts'
import { createTurns } from './in-turn.ts'
import { forgetState, type MirrorState, saveState } from './mirror-state.ts'
import { directorySize, measured, removeLeftovers } from './pack-files.ts'
import { createGit } from './run-git.ts'
import { initRepository, type Scratch } from './scratch.ts'
import type { GitSettings } from './settings.ts'

/**
 * A partial copy of a remote's repository, for as many readers as there are: they read its objects in place,
 * by way of their own scratch repositories' alternates. It only ever grows, and nothing in it is rewritten,
 * so that readers need not know of fetches; one that grew too much is removed whole.
 *
 * Its history is cut off where no merge base has needed more yet: of a repository like Linux's, all commits
 * and trees without one file are past a gigabyte and five minutes, and the last 50 of both sides are some
 * megabytes. Every tip is kept by a ref, so that the next fetch can say what it need not send.
 */
export interface Mirror {
  readonly state: Readonly<MirrorState>
  /** Whether anything was ever fetched into it. */
  readonly filled: boolean
  readonly gitDir: string
  /** What it takes up on the disk, as last measured, and what was fetched since. */
  readonly bytes: number
  measure(): Promise<void>
  /** Fetches base and head, and lays them before the scratch repository. Returns bytes of packs. */
  fetchRange(
    scratch: Scratch,
    access: RemoteAccess,
    names: { base: string; head: string },
    signal: AbortSignal,
  ): Promise<{ range: CommitRange; bytes: number }>
  /**
   * Fetches those of the blobs that the scratch repository cannot see yet. Returns bytes of packs.
   *
   * @throws KodusError GIT_BLOBS_REFUSED by a server that leaves blobs out and then does not hand them out
   */
  fetchBlobs(
    scratch: Scratch,
    access: RemoteAccess,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<number>
  /** Fetches one commit and its trees. Returns bytes of packs. */
  fetchCommit(access: RemoteAccess, id: string, signal: AbortSignal): Promise<number>
  /** Makes sure that no later process takes it for good. Its objects stay, for those who read them. */
  disown(): Promise<void>
  remove(): Promise<void>
}

/** @param saved whether this is the state of a mirror that is there, or of one to be made */
export function createMirror(
  directory: string,
  given: MirrorState,
  settings: GitSettings,
  { saved = false } = {},
): Mirror {
  const gitDir = join(directory, 'repository.git')
  const home = join(directory, 'home')
  const repository = { git: createGit(settings, home), gitDir }
  const inTurn = createTurns()
  const state = { ...given }
  let filled = saved
  let disowned = false
  let size = 0

  const prepare = async (signal: AbortSignal) => {
    await mkdir(home, { recursive: true, mode: 0o700 })
    if (!filled) await initRepository(repository, state.format, signal)
  }
  const save = async () => {
    filled = true
    if (!disowned) await saveState(directory, state)
  }
  const fetching = <T>(signal: AbortSignal, fetch: () => Promise<T>) =>
    inTurn(async () => {
      try {
        const fetched = await measured(gitDir, fetch)
        size += fetched.bytes
        return fetched
      } catch (error) {
        await removeLeftovers(gitDir)
        throw orDiskFull(error)
      }
    }, signal)

  return {
    state,
    get filled() {
      return filled
    },
    gitDir,
    get bytes() {
      return size
    },
    async measure() {
      size = await directorySize(directory)
    },
    async fetchRange(scratch, access, names, signal) {
      const { result, bytes } = await fetching(signal, async () => {
        await prepare(signal)
        const { blobless, rung: firstRung } = state
        const { rung, ...range } = await fetchRange(repository, access, names, signal, {
          blobless,
          firstRung,
        })
        const input = [range.base, range.head].map((id) => `update ${tipRef(id)} ${id}\n`).join('')
        await repository.git({ gitDir, args: ['update-ref', '--stdin'], input }, signal)
        // Where its history ends is not told: from here on only trees are compared.
        await scratch.borrow(join(gitDir, 'objects'), '')
        state.rung = rung
        await save()
        return range
      })
      return { range: result, bytes }
    },
    async fetchBlobs(scratch, access, ids, signal) {
      const { bytes } = await fetching(signal, async () => {
        // Another reader's fetch may have brought them while this one waited.
        const missing = await findMissing(scratch, ids, signal)
        const options = { blobless: state.blobless, exactly: true }
        if (missing.length > 0) await fetchFrom(repository, access, missing, options, signal)
      }).catch((error) => {
        throw state.blobless ? asRefusal(error) : error
      })
      return bytes
    },
    async fetchCommit(access, id, signal) {
      const { bytes } = await fetching(signal, async () => {
        // Its history is not asked for: of a branch that was rewritten, it could be all there is.
        const depth = DEPTHS[state.rung] === 'all' ? undefined : 1
        const options = { depth, blobless: state.blobless }
        await fetchFrom(repository, access, [`+${id}:${tipRef(id)}`], options, signal)
      })
      return bytes
    },
    async disown() {
      disowned = true
      await forgetState(directory)
    },
    remove: () => rm(directory, { recursive: true, force: true, maxRetries: 3 }),
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof KodusError) || error.code !== 'GIT_REF_NOT_FOUND') return error
  return new KodusError('GIT_BLOBS_REFUSED', 'The server does not hand out the contents of single files.', {
    help: 'Nothing to do: it is tried again by itself, reading whole commits.',
    retryability: 'transient',
    cause: error,
  })
}

function tipRef(id: string): string {
  return `refs/kodus/tips/${id}`
}
