import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CACHE, debianMirrors, findDebianPackage } from '../support/debian-packages.ts'
import type { Engine } from './engine.ts'
import { hasImage, isHad } from './images.ts'
import { runCommand } from './run-command.ts'
import { unmountBelow } from './unmount-below.ts'

/** What the product's images are made from where a registry answers. */
export const OFFICIAL_BASE = 'node:24-bookworm-slim'

const RELEASE = 'bookworm'
/** What the Dockerfile would install, were there a network in a build. */
const PACKAGES = ['tini', 'git', 'ca-certificates', 'openssh-client']
/** As in Debian's own slim images; the licences stay. */
const LEFT_OUT = [
  'var/cache/apt/*.bin',
  'var/cache/apt/archives/*',
  'var/lib/apt/lists/*',
  'var/log/*',
  'usr/share/locale/*',
  'usr/share/man/*',
  'usr/share/info/*',
  'usr/share/doc/*/changelog*',
  ...['dev', 'proc', 'sys', 'run', 'tmp'].map((name) => `${name}/*`),
]
const NODE_PACKAGE = fileURLToPath(new URL('../../node_modules/node', import.meta.url))
const PATH_INSIDE = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * An image to make the product's from: the official one where it is had, else one like it, of Debian's packages
 * and npm's Node. Making that takes a minute, once; the next engine takes it from a file.
 *
 * @returns its name
 */
export async function ensureBaseImage(engine: Engine): Promise<string> {
  if (await isHad(engine, OFFICIAL_BASE)) return OFFICIAL_BASE
  const { version } = JSON.parse(readFileSync(path.join(NODE_PACKAGE, 'package.json'), 'utf8'))
  const inputs = JSON.stringify({ RELEASE, PACKAGES, LEFT_OUT, version, arch: process.arch })
  const key = createHash('sha256').update(inputs).digest('hex').slice(0, 12)
  const name = `kodus-base:${key}`
  if (await hasImage(engine, name)) return name

  const archive = path.join(CACHE, 'base-image', `${key}.tar`)
  if (!existsSync(archive)) await makeArchive(archive, engine)
  const settings = [`ENV PATH=${PATH_INSIDE}`, `ENV NODE_VERSION=${version}`, 'CMD ["node"]']
  await engine.docker('import', ...settings.flatMap((each) => ['--change', each]), archive, name)
  return name
}

async function makeArchive(archive: string, { env }: Engine): Promise<void> {
  console.error(`Making a base image of Debian ${RELEASE} (once) …`)
  const { root: tool, skip } = findDebianPackage({ name: 'debootstrap', needed: /^debootstrap$/ })
  if (skip) throw new Error(skip)
  const [mirror] = debianMirrors().filter((each) => !each.endsWith('-security'))
  if (!mirror) throw new Error('apt knows no mirror of Debian here')

  const work = `${archive}-${process.pid}`
  const root = path.join(work, 'root')
  mkdirSync(root, { recursive: true })
  try {
    await runCommand(
      path.join(tool, 'usr/sbin/debootstrap'),
      ['--variant=minbase', `--include=${PACKAGES.join(',')}`, RELEASE, root, mirror],
      { env: { ...env, DEBOOTSTRAP_DIR: path.join(tool, 'usr/share/debootstrap') } },
    )
    copyFileSync(path.join(NODE_PACKAGE, 'bin/node'), path.join(root, 'usr/local/bin/node'))
    const excluded = LEFT_OUT.map((each) => `--exclude=./${each}`)
    const partial = path.join(work, 'image.tar')
    await runCommand('tar', ['--create', '--numeric-owner', ...excluded, '-C', root, '-f', partial, '.'], {
      env,
    })
    renameSync(partial, archive)
  } finally {
    unmountBelow(root) // debootstrap mounts /proc, and may have been interrupted.
    rmSync(work, { recursive: true, force: true })
  }
}
