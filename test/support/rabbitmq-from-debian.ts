import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'

/** Not beside the libraries, where every checkout and every `npm ci` would fetch it again. */
const CACHE = path.join(homedir(), '.cache', 'kodus', 'rabbitmq')
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const SOURCES = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/*.{list,sources}']
/** What of RabbitMQ's dependencies its server needs to run; the rest is for its installation as a service. */
const NEEDED = /^(rabbitmq-server|erlang-.+|zlib1g|lib(?!python).+)$/
/** In a script of Erlang's: the directory that it was put into. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the shell.
const ROOT = '${0%/usr/lib/erlang/*}'
const ELF = Buffer.from('\x7fELF', 'latin1')

/** Where the RabbitMQ of a release of Debian is, or would be. */
export function debianRoot(release: string): string {
  return path.join(CACHE, release)
}

/**
 * Puts the RabbitMQ of a release of Debian, its Erlang and its C library into a directory of ours, whatever
 * release this machine runs: from the machine's own mirror, checked by apt against Debian's keys. Needs no root.
 *
 * @throws Error saying which step failed
 */
export function installFromDebian(release: string): void {
  const mirrors = debianMirrors()
  if (mirrors.length === 0) throw new Error('apt knows no mirror of Debian here')
  if (!existsSync(KEYRING)) throw new Error(`${KEYRING} is missing: install debian-archive-keyring`)

  const work = path.join(CACHE, `${release}-${process.pid}`)
  const root = path.join(work, 'root')
  mkdirSync(root, { recursive: true })
  try {
    const apt = privateApt(work, release, mirrors)
    apt('apt-get', 'update')
    const plan = apt('apt-get', '--simulate', '--no-install-recommends', 'install', 'rabbitmq-server')
    const packages = [...plan.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => name ?? [])
    apt('apt-get', 'download', ...packages.filter((name) => NEEDED.test(name)))
    for (const file of globSync('*.deb', { cwd: work })) run('dpkg-deb', ['--extract', file, root], work)
    useOwnLibraries(root)
    moveInto(debianRoot(release), root)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
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
function debianMirrors(): string[] {
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
  writeFileSync(path.join(directory, 'status'), '') // No package is installed: all are to be had.
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

/**
 * Every program of Erlang's is started by the loader that came with it, so that neither the machine's C library
 * has to be as new, nor anything be installed where the package expects itself.
 */
function useOwnLibraries(root: string): void {
  const [loader] = globSync('{usr/,}lib/*-linux-gnu*/ld-linux*.so.*', { cwd: root })
  if (!loader) throw new Error('the packages hold no loader')
  const libraries = globSync('{usr/,}lib/*-linux-gnu*', { cwd: root })
    .map((each) => `$root/${each}`)
    .join(':')
  for (const name of globSync('usr/lib/erlang/{,erts-*/,lib/*/priv/}bin/*', { cwd: root })) {
    const file = path.join(root, name)
    if (!lstatSync(file).isFile()) continue
    if (isProgram(file)) {
      renameSync(file, `${file}.elf`)
      const start = `exec "$root/${loader}" --library-path "${libraries}" --argv0 "$0" "$root/${name}.elf" "$@"`
      writeFileSync(file, `#!/bin/sh\nroot=${ROOT}\n${start}\n`)
      chmodSync(file, 0o755)
    } else if (path.basename(file) === 'erl') {
      const script = readFileSync(file, 'utf8')
      writeFileSync(file, script.replaceAll('ROOTDIR=/usr/', `ROOTDIR=${ROOT}/usr/`))
    }
  }
}

function isProgram(file: string): boolean {
  const start = Buffer.alloc(ELF.length)
  const descriptor = openSync(file, 'r')
  readSync(descriptor, start, 0, start.length, 0)
  closeSync(descriptor)
  return start.equals(ELF)
}

/** @throws Error with the last line of what the command complained of */
function run(command: string, args: string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const [complaint] = String((error as { stderr?: string }).stderr)
      .trim()
      .split('\n')
      .slice(-1)
    throw new Error(`${command} failed: ${complaint || error}`, { cause: error })
  }
}
