import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KodusError } from '../errors.ts'
import { checkGitVersion, createGit, type Git } from './run-git.ts'
import { scratchPrefix, scratchRoot } from './scratch-name.ts'
import type { GitSettings } from './settings.ts'

/** A bare repository of our own, and the git to work with it. */
export interface Repository {
  git: Git
  gitDir: string
}

/** A directory of our own for one change: an empty home for git, and a bare repository. */
export interface Scratch extends Repository {
  /** @param format of the repository to be read: see `objectFormat` */
  init(format: ObjectFormat, signal: AbortSignal): Promise<void>
  /**
   * Reads objects from another repository's object directory, in place. Copies nothing.
   *
   * @throws KodusError GIT_PATH_REFUSED
   */
  borrow(objects: string, shallow: string): Promise<void>
  remove(): Promise<void>
}

/** @throws KodusError GIT_MISSING, GIT_TOO_OLD */
export async function createScratch(settings: GitSettings, signal: AbortSignal): Promise<Scratch> {
  const directory = await mkdtemp(join(scratchRoot(settings), scratchPrefix()))
  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 3 })
  const home = join(directory, 'home')
  const gitDir = join(directory, 'repository.git')
  try {
    await mkdir(home)
    const git = createGit(settings, home)
    await checkGitVersion(git, signal)
    return {
      git,
      gitDir,
      init: (format, signal) => initRepository({ git, gitDir }, format, signal),
      async borrow(objects, shallow) {
        // It would be two lines there, and the second a directory that nobody has checked.
        if (objects.includes('\n')) {
          throw new KodusError('GIT_PATH_REFUSED', `${JSON.stringify(objects)} has a line break in it.`, {
            help: 'Rename the directory: git cannot be told to read objects from there.',
          })
        }
        await writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${objects}\n`)
        if (shallow) await writeFile(join(gitDir, 'shallow'), shallow)
      },
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}

export type ObjectFormat = 'sha1' | 'sha256'

/** The object format of a repository, by one of its ids; that of most where only another name is known. */
export function objectFormat(id: string): ObjectFormat {
  return id.length === 64 ? 'sha256' : 'sha1'
}

export async function initRepository(
  { git, gitDir }: Repository,
  format: ObjectFormat,
  signal: AbortSignal,
): Promise<void> {
  await git({ args: ['init', '--quiet', '--bare', `--object-format=${format}`, gitDir] }, signal)
}
