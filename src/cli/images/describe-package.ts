import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a bill of materials says of a library. */
export interface PackageFacts {
  name: string
  version: string
  /** SPDX: an id or an expression; undefined where the package names none. */
  license: string | undefined
  /** The texts of its licence and notice files. */
  texts: readonly string[]
  /** Of the archive it came in, as the lock file has it: `sha512-…`. */
  integrity: string | undefined
}

interface Lock {
  packages: Record<string, { integrity?: string } | undefined>
}

/** @param folder its place in the lock file: `node_modules/pg` */
export function describePackage(directory: string, folder: string, lock: Lock): PackageFacts {
  const { name, version, license, licenses } = JSON.parse(
    readFileSync(join(directory, 'package.json'), 'utf8'),
  )
  const texts = readdirSync(directory)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n').trim())
  const { integrity } = lock.packages[folder] ?? {}
  return { name, version, license: licenseOf(license ?? licenses), texts, integrity }
}

/** A package whose files another one brings, having been built with it: its version is that one's development dependency. */
export function describeCopied(directory: string, name: string): PackageFacts {
  const { devDependencies } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const texts = ['The text of this licence is in LICENSE.']
  return { name, version: devDependencies[name], license: 'Apache-2.0', texts, integrity: undefined }
}

/** Old packages have an object, or a list of them, any of which may be chosen. */
function licenseOf(license: unknown): string | undefined {
  if (typeof license === 'string') return license
  const list = (Array.isArray(license) ? license : [license]) as ({ type?: unknown } | undefined)[]
  const types = list.map((each) => each?.type).filter((type) => typeof type === 'string')
  return types.length > 1 ? `(${types.join(' OR ')})` : types[0]
}
