import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The packs of a repository's own that have anything in them, by name, with their sizes in bytes. */
export async function listPacks(gitDir: string): Promise<Map<string, number>> {
  const directory = join(gitDir, 'objects', 'pack')
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.pack'))
  const sizes = names.map(async (name) => [name, await packSize(join(directory, name))] as const)
  return new Map((await Promise.all(sizes)).filter(([, size]) => size > 0))
}

/** Zero for one without objects: what git stores where a server had nothing new to send. */
async function packSize(pack: string): Promise<number> {
  const file = await open(pack)
  try {
    const { size } = await file.stat()
    // gitformat-pack(5): "PACK", the version, and the number of objects, four bytes each.
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 8)
    return bytesRead === 4 && buffer.readUInt32BE() === 0 ? 0 : size
  } finally {
    await file.close()
  }
}

/**
 * Runs what fetches into a repository, and says how much arrived: bytes of the packs that were not there
 * before, bases that `--fix-thin` added included.
 */
export async function measured<T>(
  gitDir: string,
  fetch: () => Promise<T>,
): Promise<{ result: T; bytes: number }> {
  const before = await listPacks(gitDir)
  const result = await fetch()
  let bytes = 0
  for (const [name, size] of await listPacks(gitDir)) if (!before.has(name)) bytes += size
  return { result, bytes }
}

/**
 * Removes what a git that was killed leaves in a repository that nothing else writes to: locks, which would
 * refuse every later fetch, and packs half received, which nobody would ever remove.
 */
export async function removeLeftovers(gitDir: string): Promise<void> {
  const entries = await readdir(gitDir, { recursive: true, withFileTypes: true }).catch(() => [])
  const leftovers = entries.filter(
    ({ name, parentPath }) =>
      name.endsWith('.lock') || (name.startsWith('tmp_') && parentPath.startsWith(join(gitDir, 'objects'))),
  )
  await Promise.all(leftovers.map(({ parentPath, name }) => rm(join(parentPath, name), { force: true })))
}

/** Bytes of all files below a directory. What vanishes meanwhile counts as nothing. */
export async function directorySize(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) =>
        stat(join(parentPath, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
