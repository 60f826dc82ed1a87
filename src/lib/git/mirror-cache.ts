import { claimSlot } from './claim-slot.ts'
import { type LentMirror, openShelf, type Shelf, type ShelfOptions } from './mirror-shelf.ts'
import type { ObjectFormat } from './scratch.ts'

/** The mirrors of one process: of each remote one, whoever reads it. */
export interface MirrorCache {
  /** Lends the mirror of a remote, which is made by its first fetch. Whoever borrows it releases it. */
  lend(url: string, format: ObjectFormat): Promise<LentMirror>
  /** Leaves the mirrors for the next process. */
  close(): Promise<void>
}

export interface MirrorCacheOptions extends ShelfOptions {
  /** Shared by the processes of a machine: each works in a numbered directory below. */
  directory: string
}

/**
 * Opens the cache of mirrors, and takes over what an earlier process left. Beyond `maxBytes` the least recently
 * used mirrors are removed, each as a whole, and none that is being read; one that is larger than that by
 * itself is removed after use.
 *
 * @throws KodusError GIT_CACHE_UNUSABLE
 */
export async function openMirrorCache(options: MirrorCacheOptions): Promise<MirrorCache> {
  const open = async () => await openShelf(await claimSlot(options.directory), options)
  let shelf: Shelf = await open()
  let opening: Promise<Shelf> | undefined

  /** Those who find at once that another process has taken the directory over wait for the same new one. */
  const reopen = () => {
    opening ??= open()
      .then((opened) => {
        options.log.warn({ lost: shelf.slot.directory }, 'another process took over the directory of mirrors')
        shelf = opened
        return opened
      })
      .finally(() => {
        opening = undefined
      })
    return opening
  }
  return {
    async lend(url, format) {
      const { slot } = shelf
      if (await slot.stillOurs()) return shelf.lend(url, format)
      await slot.release()
      // Somebody else may have done so meanwhile.
      return (shelf.slot === slot ? await reopen() : shelf).lend(url, format)
    },
    close: () => shelf.slot.release(),
  }
}
