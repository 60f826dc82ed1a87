import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A published package as it was when its findings were judged. */
export interface Tree {
  registry: 'npm' | 'pypi' | 'go' | 'maven'
  name: string
  version: string
  /** SHA-512 of the archive, in base64. */
  sha512: string
  /** The only folder in it that is read, where it ships built copies of its sources besides. */
  below?: string
}

/** What is downloaded, and left there until somebody removes it. */
const CACHE = resolve('node_modules/.cache/kodus/audit')

/** Where the files of the tree are; downloads them, with the client of their registry, unless they are there. */
export async function obtain(tree: Tree): Promise<string> {
  const place = join(CACHE, tree.registry, `${tree.name.replaceAll(/[/:]/g, '+')}@${tree.version}`)
  if (!existsSync(place)) await download(tree, place)
  return tree.below ? join(place, tree.below) : place
}

async function download(tree: Tree, place: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(join(CACHE, 'download-'))
  try {
    const archive = await CLIENTS[tree.registry](tree, work)
    const sha512 = createHash('sha512').update(readFileSync(archive)).digest('base64')
    if (sha512 !== tree.sha512) throw new Error(`its SHA-512 is ${sha512}, not ${tree.sha512}`)
    const files = join(work, 'files')
    mkdirSync(files)
    await extract(archive, files)
    mkdirSync(join(place, '..'), { recursive: true })
    // A module's archive has everything below its name and version.
    renameSync(tree.registry === 'go' ? join(files, `${tree.name}@${tree.version}`) : files, place)
  } finally {
    // The Go command makes its files read-only.
    await run('chmod', ['-R', 'u+w', work])
    rmSync(work, { recursive: true, force: true })
  }
}

/** Each puts the archive into the directory. @returns its path */
const CLIENTS: Record<Tree['registry'], (tree: Tree, directory: string) => Promise<string>> = {
  npm: async ({ name, version }, directory) => {
    await run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: directory })
    return onlyFile(directory)
  },
  pypi: async ({ name, version }, directory) => {
    // Wheels alone: pip runs the build of anything else to learn its name.
    const pure = ['--platform', 'any', '--implementation', 'py', '--abi', 'none', '--python-version', '3.12']
    const wheel = ['--no-deps', '--only-binary', ':all:', ...pure]
    await run('pip', ['download', '-q', ...wheel, '-d', directory, `${name}==${version}`])
    return onlyFile(directory)
  },
  go: async ({ name, version }, directory) => {
    const env = { ...process.env, GOMODCACHE: join(directory, 'modules'), GONOSUMDB: '*', GOFLAGS: '' }
    const { stdout } = await run('go', ['mod', 'download', '-json', `${name}@${version}`], {
      cwd: directory,
      env,
    })
    return String(JSON.parse(stdout).Zip)
  },
  maven: async ({ name, version }, directory) => {
    const artifact = `-Dartifact=${name}:${version}:jar:sources`
    const copy = ['dependency:copy', artifact, `-DoutputDirectory=${directory}`]
    await run('mvn', ['-q', '-B', ...copy], { cwd: directory })
    return onlyFile(directory)
  },
}

function onlyFile(directory: string): string {
  const [file, ...more] = readdirSync(directory)
  if (!file || more.length > 0) throw new Error(`expected one archive, got ${more.length + (file ? 1 : 0)}`)
  return join(directory, file)
}

async function extract(archive: string, directory: string): Promise<void> {
  if (archive.endsWith('.tgz')) await run('tar', ['-xzf', archive, '--strip-components=1', '-C', directory])
  else await run('unzip', ['-qo', archive, '-d', directory], { maxBuffer: 64 * 1024 * 1024 })
}
