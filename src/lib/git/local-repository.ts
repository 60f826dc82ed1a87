import { lstat, readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { KodusError } from '../errors.ts'

/** A repository on this machine's disk, found without git. All paths are real. */
export interface LocalRepository {
  /** What GIT_DIR would be: of a linked worktree, its own directory. */
  gitDir: string
  objects: string
  /** The commits at which a shallow clone ends; empty when it is whole. */
  shallow: string
}

// As git does: more levels are an error there.
const MAX_ALTERNATES_DEPTH = 5
const MAX_POINTER_BYTES = 64 * 1024
const MAX_SHALLOW_BYTES = 4 * 1024 ** 2

/**
 * Finds the repository that a person stands in: `path` or one of the directories above it, a linked
 * worktree or a bare repository included.
 *
 * @throws KodusError GIT_NOT_FOUND
 */
export async function findRepository(path: string): Promise<LocalRepository> {
  const start = await realpath(path).catch(() => undefined)
  for (let directory = start; directory; directory = dirname(directory)) {
    const gitDir = await gitDirAt(directory)
    if (gitDir) return (await layout(gitDir)).repository
    if (dirname(directory) === directory) break
  }
  throw notFound(path)
}

/**
 * The repository at exactly `path`, if it, and everything it refers to (`gitdir:` files, linked worktrees,
 * alternates, symbolic links among its objects), lies below one of the roots.
 *
 * @throws KodusError GIT_PATH_REFUSED, GIT_NOT_FOUND
 */
export async function findRepositoryBelow(path: string, roots: readonly string[]): Promise<LocalRepository> {
  const realRoots = await Promise.all(roots.map((root) => realpath(root).catch(() => undefined)))
  const check = (real: string | undefined) => {
    if (real && realRoots.some((root) => root && isBelow(real, root))) return
    throw new KodusError(
      'GIT_PATH_REFUSED',
      `${JSON.stringify(path)} does not exist, or is not below a configured root.`,
      {
        help: 'Add its directory to GIT_REPOSITORY_ROOTS of the worker, or move there all that the repository refers to.',
      },
    )
  }

  const real = await realpath(path).catch(() => undefined)
  check(real)
  const gitDir = real && (await gitDirAt(real))
  if (!gitDir) throw notFound(path)
  check(gitDir)
  const { repository, commonDir } = await layout(gitDir)
  check(commonDir)
  await checkObjects(repository.objects, check)
  return repository
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}

/** The real git directory of the working tree or bare repository at `directory`. */
async function gitDirAt(directory: string): Promise<string | undefined> {
  const dotGit = join(directory, '.git')
  const pointer = await readSmallFile(dotGit, MAX_POINTER_BYTES)
  const target = pointer === undefined ? undefined : /^gitdir: (.+?)\r?\n*$/.exec(pointer)?.[1]
  for (const candidate of [target && resolve(directory, target), dotGit, directory]) {
    if (candidate && (await isGitDir(candidate))) return await realpath(candidate)
  }
  return undefined
}

async function isGitDir(directory: string): Promise<boolean> {
  const [head, objects, commonDir] = await Promise.all(
    ['HEAD', 'objects', 'commondir'].map((name) => lstat(join(directory, name)).catch(() => undefined)),
  )
  return head !== undefined && (objects !== undefined || commonDir !== undefined)
}

async function layout(gitDir: string): Promise<{ repository: LocalRepository; commonDir: string }> {
  const pointer = await readSmallFile(join(gitDir, 'commondir'), MAX_POINTER_BYTES)
  try {
    const commonDir = await realpath(resolve(gitDir, pointer?.trim() ?? '.'))
    const objects = await realpath(join(commonDir, 'objects'))
    const shallow = (await readSmallFile(join(commonDir, 'shallow'), MAX_SHALLOW_BYTES)) ?? ''
    return { repository: { gitDir, objects, shallow }, commonDir }
  } catch {
    throw notFound(gitDir)
  }
}

async function checkObjects(
  objects: string,
  check: (real: string | undefined) => void,
  depth = 0,
): Promise<void> {
  check(objects)
  for (const entry of await readdir(objects, { withFileTypes: true, recursive: true })) {
    // A link among the objects is rare enough not to ask where it leads.
    if (entry.isSymbolicLink()) check(undefined)
  }
  const alternates = await readSmallFile(join(objects, 'info', 'alternates'), MAX_POINTER_BYTES)
  for (const line of alternates?.split('\n') ?? []) {
    if (line === '' || line.startsWith('#')) continue
    if (depth === MAX_ALTERNATES_DEPTH || line.startsWith('"')) check(undefined)
    // git ignores an alternate that is not there; so may we.
    const real = await realpath(resolve(objects, line)).catch(() => undefined)
    if (real) await checkObjects(real, check, depth + 1)
  }
}

/** A regular file's text; undefined for anything else: a pipe or device of that name would block us. */
async function readSmallFile(path: string, maxBytes: number): Promise<string | undefined> {
  const stats = await lstat(path).catch(() => undefined)
  return stats?.isFile() && stats.size <= maxBytes ? await readFile(path, 'utf8') : undefined
}

function notFound(path: string): KodusError {
  return new KodusError('GIT_NOT_FOUND', `There is no git repository at ${JSON.stringify(path)}.`, {
    help: 'Check the path, and that this process may read it.',
  })
}
