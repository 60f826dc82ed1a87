import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { COMPONENTS, type ComponentType } from '../../components.ts'
import { KodusError } from '../../lib/errors.ts'
import { type BaseFacts, billOfMaterials } from './bill-of-materials.ts'
import { bundleComponent } from './bundle-component.ts'
import { copiedFiles } from './copied-files.ts'
import { describeCopied, describePackage, type PackageFacts } from './describe-package.ts'
import type { Platform } from './platform.ts'
import { thirdPartyNotices } from './third-party.ts'

export interface StageOptions {
  /** The checkout. */
  root: string
  type: ComponentType
  platform: Platform
  /** Where it goes; must not exist yet, or be empty. */
  directory: string
  /** A directory of its own, for what is fetched on the way. */
  scratch: string
}

export interface Stage {
  packages: readonly PackageFacts[]
  /** Completes the bill of materials when it is known what the base image brings. */
  describeBase(base: BaseFacts): void
}

const MIGRATIONS = 'src/store/migrations'

/** All files get this one, so that nothing depends on when they were made: 1980, the oldest that archives know. */
const TIME = new Date('1980-01-01T00:00:00Z')

/**
 * Puts what an image holds into `app/` of a directory. The same sources and packages give the same bytes, modes and
 * times, wherever and whenever it is done.
 *
 * @throws KodusError STAGE_NOT_EMPTY or PACKAGE_UNAVAILABLE
 */
export async function stageImage({ root, type, platform, directory, scratch }: StageOptions): Promise<Stage> {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new KodusError('STAGE_NOT_EMPTY', `${directory} is not empty.`, {
      help: 'Remove it, or name another directory.',
    })
  }
  const app = join(directory, 'app')
  const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'))
  const { version, license } = readJson('package.json')
  const lock = readJson('package-lock.json')
  const subject = { name: COMPONENTS[type].name, version, license }

  const bundle = await bundleComponent(root, type, version)
  const copied = await copiedFiles(root, bundle, platform, scratch)
  const packages = [
    ...bundle.packages.map((folder) => describePackage(join(root, folder), folder, lock)),
    ...copied.map(({ directory: from, folder }) => describePackage(from, folder, lock)),
    ...copied.flatMap(({ directory: from, contains }) => (contains ? [describeCopied(from, contains)] : [])),
  ]
  const listed = [...new Map(packages.map((each) => [`${each.name}@${each.version}`, each])).values()].sort(
    (a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1),
  )

  const write = (name: string, contents: string | Uint8Array) => {
    mkdirSync(dirname(join(app, name)), { recursive: true })
    writeFileSync(join(app, name), contents)
  }
  const copy = (from: string, name: string) => {
    mkdirSync(dirname(join(app, name)), { recursive: true })
    copyFileSync(from, join(app, name))
  }
  const writeBill = (base?: BaseFacts) => {
    write('bom.json', `${JSON.stringify(billOfMaterials(subject, listed, base), null, 2)}\n`)
    settle(directory)
  }

  for (const [name, contents] of bundle.files) write(name, contents)
  for (const { directory: from, folder, files } of copied)
    for (const file of files) copy(join(from, file), `${folder}/${file}`)
  for (const file of readdirSync(join(root, MIGRATIONS)))
    copy(join(root, MIGRATIONS, file), `migrations/${file}`)
  for (const file of ['LICENSE', 'infra/docker/health.mjs']) copy(join(root, file), basename(file))
  write('package.json', `${JSON.stringify({ private: true, type: 'module' })}\n`)
  write('THIRD-PARTY.txt', thirdPartyNotices(listed, bundle.notices))
  writeBill()
  return { packages: listed, describeBase: writeBill }
}

/** Readable by everybody, writable by nobody who runs it, and of one time. */
function settle(directory: string): void {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const settleOne = (path: string, mode: number) => {
    chmodSync(path, mode)
    utimesSync(path, TIME, TIME)
  }
  for (const entry of entries)
    settleOne(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  settleOne(directory, 0o755)
}
