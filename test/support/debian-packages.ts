import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { messageOf } from '../../src/lib/errors.ts'
import { missing } from './missing.ts'

/** Not beside the libraries, where every checkout and every `npm ci` would fetch it again. */
export const CACHE = path.join(homedir(), '.cache', 'kodus')
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const SOURCES = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/*.{list,sources}']

export interface DebianPackage {
  name: string
  /** Others that belong to it, without its depending on them. */
  with?: readonly string[]
  /** What of these and of all that they depend on is wanted. */
  needed: RegExp
}

/** The release of Debian that this machine runs, or `unknown`. */
export function machineRelease(): string {
  const description = readOr('/etc/os-release', '')
  if (!/^ID=debian$/m.test(description)) return 'unknown'
  return /^VERSION_CODENAME=(\w+)$/m.exec(description)?.[1] ?? 'unknown'
}

/**
 * Where a package of a release of Debian, this machine's unless it is said, lies unpacked; fetched once, installed nowhere.
 *
 * @returns for a test's `skip` why it cannot be had, or false
 */
export function findDebianPackage(
  wanted: DebianPackage,
  release = machineRelease(),
): { root: string; skip: string | false } {
  const root = path.join(CACHE, 'debian', release, wanted.name)
  if (existsSync(root)) return { root, skip: false }
  console.error(`Fetching ${wanted.name} (once) …`)
  try {
    unpackFromDebian(root, release, wanted)
    return { root, skip: false }
  } catch (error) {
    return { root, skip: missing(`${wanted.name} cannot be fetched from Debian: ${messageOf(error)}`) }
  }
}

/**
 * Puts a package of a release of Debian, and what it needs, into a directory of ours, whatever release this machine
 * runs: from the machine's own mirror, checked by apt against Debian's keys. Needs no root.
 *
 * @param prepare makes what was unpacked usable where it lies
 * @throws Error saying which step failed
 */
export function unpackFromDebian(
  place: string,
  release: string,
  wanted: DebianPackage,
  prepare: (root: string) => void = () => {},
): void {
  const work = `${place}-${process.pid}`
  const root = path.join(work, 'root')
  mkdirSync(root, { recursive: true })
  try {
    for (const file of download(work, release, wanted)) run('dpkg-deb', ['--extract', file, root], work)
    prepare(root)
    moveInto(place, root)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * Puts into `directory` what a system lacks to have a package installed, as files for its dpkg.
 *
 * @param installed that system's /var/lib/dpkg/status
 * @throws Error saying which step failed
 */
export function downloadFromDebian(
  directory: string,
  release: string,
  name: string,
  installed: string,
): void {
  const work = `${directory}-${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    const files = download(work, release, { name, needed: /./ }, installed)
    mkdirSync(directory, { recursive: true })
    for (const file of files) renameSync(path.join(work, file), path.join(directory, file))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** @returns the files' names */
function download(work: string, release: string, wanted: DebianPackage, installed = ''): string[] {
  const mirrors = debianMirrors()
  if (mirrors.length === 0) throw new Error('apt knows no mirror of Debian here')
  if (!existsSync(KEYRING)) throw new Error(`${KEYRING} is missing: install debian-archive-keyring`)

  const apt = privateApt(work, release, mirrors)
  writeFileSync(path.join(work, 'status'), installed)
  apt('apt-get', 'update')
  const names = [wanted.name, ...(wanted.with ?? [])]
  const plan = apt('apt-get', '--simulate', '--no-install-recommends', 'install', ...names)
  const packages = [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, each]) => each ?? [])
  apt('apt-get', 'download', ...packages.filter((each) => wanted.needed.test(each)))
  return globSync('*.deb', { cwd: work })
}

/** Unless another process was faster: what it put there may be running already. */
function moveInto(place: string, root: string): void {
  try {
    renameSync(root, place)
  } catch (error) {
    if (!existsSync(place)) throw error
  }
}

/** `…/debian` and `…/debian-security`, as this machine reaches them. */
export function debianMirrors(): string[] {
  const lines = globSync(SOURCES).flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  const active = lines.filter((line) => !line.trimStart().startsWith('#')).join('\n')
  return [...new Set(active.match(/\S+:\/\S+\/debian(-security)?(?=\/?\s)/g))]
}

/** apt with everything of its own but the machine's proxy settings. */
function privateApt(directory: string, release: string, mirrors: string[]) {
  const sources = mirrors.map((mirror) => {
    const suite = mirror.endsWith('-security') ? `${release}-security` : release
    return `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`
  })
  writeFileSync(path.join(directory, 'sources.list'), sources.join(''))
  for (const name of ['lists/partial', 'archives/partial', 'parts']) {
    mkdirSync(path.join(directory, name), { recursive: true })
  }
  const options = {
    'Dir::Etc::SourceList': path.join(directory, 'sources.list'),
    'Dir::Etc::SourceParts': path.join(directory, 'parts'),
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': path.join(directory, 'parts'),
    'Dir::State': directory,
    'Dir::State::status': path.join(directory, 'status'),
    'Dir::Cache': directory,
    'APT::Sandbox::User': '', // The user that apt would become cannot read a directory of ours.
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return (command: string, ...args: string[]) => run(command, ['-q', ...flags, ...args], directory)
}

/** @throws Error with the last line of what the command complained of */
function run(command: string, args: string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const [complaint] = String(stderr ?? '')
      .trim()
      .split('\n')
      .slice(-1)
    throw new Error(`${command} failed: ${complaint || message}`, { cause: error })
  }
}

function readOr(file: string, otherwise: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : otherwise
}
