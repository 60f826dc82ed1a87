import { randomUUID } from 'node:crypto'
import {
  link,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { KodusError, messageOf } from '../errors.ts'

/** A numbered directory that one process at a time works in, and the next one takes over as it is. */
export interface Slot {
  directory: string
  /** False once another process has taken it: this one had been silent for too long, or its file was removed. */
  stillOurs(): Promise<boolean>
  release(): Promise<void>
}

interface Owner {
  token: string
  machine: string
  pid: number
}

const OWNER_FILE = 'owner'
const BEAT_MS = 5_000
/** As long as a job's lease: a worker silent for that long has lost its jobs too. */
const SILENT_MS = 30_000
const ABANDONED_MS = 24 * 60 * 60_000
const MAX_SLOTS = 1000

/**
 * Claims the lowest numbered directory below `root` that nobody works in. Its owner shows that it is alive by
 * touching a file; a process of this machine that was killed is known to be gone at once. What was left a day
 * ago in other directories is removed: fewer processes run here than once did.
 *
 * @throws KodusError GIT_CACHE_UNUSABLE
 */
export async function claimSlot(root: string): Promise<Slot> {
  const own: Owner = { token: randomUUID(), machine: await thisMachine(), pid: process.pid }
  try {
    await mkdir(root, { recursive: true, mode: 0o700 })
    if (!(await isTrusted(root))) throw new Error('it belongs to another account')
    for (let number = 0; number < MAX_SLOTS; number++) {
      const directory = join(root, String(number))
      if (!(await claim(directory, own))) continue
      await removeAbandoned(root, number, own)
      return hold(directory, own)
    }
  } catch (cause) {
    throw unusable(root, messageOf(cause), cause)
  }
  throw unusable(root, `${MAX_SLOTS} processes work there`)
}

function hold(directory: string, own: Owner): Slot {
  const file = join(directory, OWNER_FILE)
  const stillOurs = async () => (await readOwner(file))?.token === own.token
  const beat = setInterval(async () => {
    // What another process has taken is not kept alive for it.
    if (await stillOurs()) await utimes(file, new Date(), new Date()).catch(() => {})
  }, BEAT_MS)
  beat.unref()
  return {
    directory,
    stillOurs,
    async release() {
      clearInterval(beat)
      if (await stillOurs()) await rm(file, { force: true })
    },
  }
}

async function claim(directory: string, own: Owner): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  if (!(await isTrusted(directory))) return false
  const file = join(directory, OWNER_FILE)
  if (await writeIfAbsent(file, own)) return true
  const owner = await readOwner(file)
  if (!(await isGone(file, owner, own))) return false
  await takeAway(file, owner)
  return await writeIfAbsent(file, own)
}

/**
 * Whether nobody else can have put something there: where anybody may make a directory, as among temporary files,
 * it must be this account's, or root's. A mirror of somebody else's making has a configuration of its own, which
 * could hand our token on.
 */
async function isTrusted(directory: string): Promise<boolean> {
  const { mode } = await stat(dirname(directory))
  const { uid } = await stat(directory)
  return (mode & 0o002) === 0 || uid === 0 || process.getuid === undefined || uid === process.getuid()
}

async function writeIfAbsent(file: string, own: Owner): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(own), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

async function isGone(file: string, owner: Owner | undefined, own: Owner): Promise<boolean> {
  const silentMs = await ageOf(file)
  if (silentMs > SILENT_MS) return true
  // Half written, or another machine's: only its silence tells.
  if (owner?.machine !== own.machine || owner.pid === own.pid) return false
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Moved first, and looked at again: somebody else may have claimed it meanwhile, and gets it back. */
async function takeAway(file: string, gone: Owner | undefined): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
    if ((await readOwner(aside))?.token !== gone?.token) await link(aside, file)
  } catch {
    // Taken away or claimed by somebody else. Whoever lost it sees that by `stillOurs`.
  } finally {
    await rm(aside, { force: true })
  }
}

async function removeAbandoned(root: string, kept: number, own: Owner): Promise<void> {
  for (const name of await readdir(root)) {
    const directory = join(root, name)
    if (!/^\d{1,3}$/.test(name) || Number(name) === kept || (await ageOf(directory)) < ABANDONED_MS) continue
    if (await claim(directory, own)) await rm(directory, { recursive: true, force: true })
  }
}

async function ageOf(path: string): Promise<number> {
  const stats = await stat(path).catch(() => undefined)
  return stats ? Date.now() - stats.mtimeMs : 0
}

/** Containers may have the same host name, and never the same processes: their namespace tells them apart. */
async function thisMachine(): Promise<string> {
  return `${hostname()} ${await readlink('/proc/self/ns/pid').catch(() => '')}`
}

function unusable(root: string, why: string, cause?: unknown): KodusError {
  return new KodusError('GIT_CACHE_UNUSABLE', `Mirrors of repositories cannot be kept in ${root}: ${why}`, {
    help: 'Name a directory that this process may write to, on a disk with room.',
    cause,
  })
}
