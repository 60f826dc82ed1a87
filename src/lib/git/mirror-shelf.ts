import { createHash, randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KodusError, messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Slot } from './claim-slot.ts'
import { createMirror, type Mirror } from './mirror.ts'
import { readState } from './mirror-state.ts'
import { listPacks, removeLeftovers } from './pack-files.ts'
import type { ObjectFormat } from './scratch.ts'
import type { GitSettings } from './settings.ts'

/** The mirrors in one slot: who reads them, and which of them stay. */
export interface Shelf {
  slot: Slot
  lend(url: string, format: ObjectFormat): LentMirror
}

export interface LentMirror extends Pick<Mirror, 'fetchRange' | 'fetchBlobs' | 'fetchCommit'> {
  /**
   * Tells of a failure while it was read or fetched into. If the mirror may be to blame, nobody is lent it
   * again.
   *
   * @returns whether a new mirror may do better
   */
  suspect(error: unknown): Promise<boolean>
  release(): Promise<void>
}

interface Entry {
  key: string
  mirror: Mirror
  readers: number
  /** Milliseconds since the epoch. */
  usedAt: number
  /** Since the last fetch that went well. */
  failures: number
}

/**
 * Each fetch adds a pack, and git looks through them one by one. Instead of packing anew, which takes time and
 * memory and a moment without readers, the mirror is dropped, and the next review fetches its few megabytes.
 */
const MAX_PACKS = 100

/** So often in a row may a mirror fail, for whatever reason, until it is tried without what it has. */
const MAX_FAILURES = 3

/** How a broken mirror fails: an object or a ref cannot be read, a lock was left, it is no repository, … */
const MAY_BE_BROKEN: ReadonlySet<string> = new Set([
  'GIT_FAILED',
  'GIT_KILLED',
  'GIT_NOT_FOUND',
  'GIT_NO_MERGE_BASE',
  'GIT_OBJECT_UNREADABLE',
  'GIT_UNEXPECTED_OUTPUT',
])

export interface ShelfOptions {
  /** Bytes that the mirrors may take up on the disk, those that are being read aside. */
  maxBytes: number
  settings: GitSettings
  log: Log
}

export async function openShelf(slot: Slot, { maxBytes, settings, log }: ShelfOptions): Promise<Shelf> {
  const entries = await adopt(slot.directory, settings)
  /** Remotes that do not hand out single blobs. */
  const whole = new Set(
    [...entries.values()].flatMap(({ key, mirror }) => (mirror.state.blobless ? [] : [key])),
  )

  const add = (url: string, format: ObjectFormat): Entry => {
    const key = keyOf({ url, format })
    const name = `${createHash('sha256').update(key).digest('hex').slice(0, 16)}-${randomUUID().slice(0, 8)}`
    const state = { url, format, blobless: !whole.has(key), rung: 0 }
    const entry = { key, mirror: createMirror(join(slot.directory, name), state, settings), ...UNUSED }
    entries.set(key, entry)
    return entry
  }

  /** Nobody is lent it from here on. It is removed once nobody reads it, and never from another's directory. */
  const forget = async (entry: Entry) => {
    if (entries.get(entry.key) === entry) entries.delete(entry.key)
    if (!(await slot.stillOurs())) return
    await entry.mirror.disown()
    if (entry.readers === 0) await entry.mirror.remove()
  }

  const evict = async () => {
    for (;;) {
      const all = [...entries.values()]
      const total = all.reduce((sum, { mirror }) => sum + mirror.bytes, 0)
      const [oldest] = all.filter(({ readers }) => readers === 0).sort((a, b) => a.usedAt - b.usedAt)
      if (total <= maxBytes || !oldest) return
      log.info({ repository: oldest.mirror.state.url, bytes: oldest.mirror.bytes }, 'mirror removed: no room')
      await forget(oldest)
    }
  }

  const putBack = async (entry: Entry) => {
    const packs = await listPacks(entry.mirror.gitDir)
    await entry.mirror.measure()
    entry.readers--
    const stays = entries.get(entry.key) === entry && entry.mirror.filled && packs.size <= MAX_PACKS
    if (entry.readers === 0 && !stays) await forget(entry)
    await evict()
  }

  const watched = async <T>(entry: Entry, fetch: Promise<T>): Promise<T> => {
    try {
      const fetched = await fetch
      entry.failures = 0
      await evict()
      return fetched
    } catch (error) {
      // The disk is full, or the repository too large: either way it makes room.
      if (codeOf(error) === 'GIT_TOO_LARGE') await forget(entry)
      throw error
    }
  }

  return {
    slot,
    lend(url, format) {
      const entry = entries.get(keyOf({ url, format })) ?? add(url, format)
      const { mirror } = entry
      const wasFilled = mirror.filled
      entry.readers++
      entry.usedAt = Date.now()
      let released: Promise<void> | undefined
      return {
        fetchRange: (...args) => watched(entry, mirror.fetchRange(...args)),
        fetchBlobs: (...args) => watched(entry, mirror.fetchBlobs(...args)),
        fetchCommit: (...args) => watched(entry, mirror.fetchCommit(...args)),
        async suspect(error) {
          const code = codeOf(error)
          const isRefusal = code === 'GIT_BLOBS_REFUSED'
          if (isRefusal) whole.add(entry.key)
          entry.failures++
          // One that was made for this very job is no worse than the next one would be.
          const isBroken = isRefusal || (wasFilled && (code === undefined || MAY_BE_BROKEN.has(code)))
          if (isBroken || entry.failures >= MAX_FAILURES) {
            log.warn({ repository: url, code, reason: messageOf(error) }, 'mirror dropped')
            await forget(entry)
          }
          return isBroken
        },
        release() {
          released ??= putBack(entry)
          return released
        },
      }
    },
  }
}

const UNUSED = { readers: 0, usedAt: 0, failures: 0 }

function keyOf({ url, format }: { url: string; format: ObjectFormat }): string {
  return `${format} ${url}`
}

function codeOf(error: unknown): string | undefined {
  return error instanceof KodusError ? error.code : undefined
}

/** The mirrors that an earlier process left. What it had not finished, or had given up, is removed. */
async function adopt(slot: string, settings: GitSettings): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  for (const file of await readdir(slot, { withFileTypes: true })) {
    if (!file.isDirectory()) continue
    const directory = join(slot, file.name)
    const saved = await readState(directory)
    const key = saved && keyOf(saved.state)
    if (!key || entries.has(key)) {
      await rm(directory, { recursive: true, force: true })
      continue
    }
    const mirror = createMirror(directory, saved.state, settings, { saved: true })
    await removeLeftovers(mirror.gitDir)
    await mirror.measure()
    entries.set(key, { key, mirror, ...UNUSED, usedAt: saved.usedAt })
  }
  return entries
}
