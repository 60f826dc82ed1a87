import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fetchPackages } from './fetch-packages.ts'
import { type Platform, PROCESSORS } from './platform.ts'

/** What a library that is bundled reads at run time: a folder, and the package that is copied into it. */
export const ASSETS: Readonly<Record<string, { folder: string; of: string }>> = {
  '@fastify/swagger-ui': { folder: 'static', of: 'swagger-ui-dist' },
}

export interface CopiedPackage {
  /** Where the package is: below the checkout, or where it was fetched to. */
  directory: string
  /** Its place below `app/`: `node_modules/@ast-grep/napi`. */
  folder: string
  files: readonly string[]
  /** The package whose files its assets are. */
  contains?: string
}

/**
 * What has to stand beside a bundle as files: native packages with what they load, for that platform alone, and the
 * assets of those that are bundled.
 *
 * @param scratch a directory of its own, for what this machine has no use for and is fetched
 * @throws KodusError PACKAGE_UNAVAILABLE
 */
export async function copiedFiles(
  root: string,
  bundle: { packages: readonly string[]; imports: readonly string[] },
  platform: Platform,
  scratch: string,
): Promise<CopiedPackage[]> {
  const names = withDependencies(root, bundle.imports, platform)
  const missing = names.filter((name) => !existsSync(join(root, 'node_modules', name)))
  if (missing.length > 0) await fetchPackages(root, missing, platform, scratch)

  const parser = `prebuilds/prebuild-Linux-${PROCESSORS[platform].prebuilds}/`
  const loaded = new RegExp(`^(index\\.js|package\\.json|[^/]+\\.node|${parser}.*)$`)
  const native = names.map((name) => {
    const directory = join(missing.includes(name) ? scratch : root, 'node_modules', name)
    return { directory, folder: `node_modules/${name}`, files: filesOf(directory, loaded) }
  })
  const assets = bundle.packages.flatMap((folder) => {
    const assets = ASSETS[folder.replace(/^.*node_modules\//, '')]
    const directory = join(root, folder)
    return assets
      ? [
          {
            directory,
            folder,
            files: filesOf(directory, new RegExp(`^${assets.folder}/`)),
            contains: assets.of,
          },
        ]
      : []
  })
  return [...native, ...assets]
}

/** Those of a native package for other platforms are left out. */
function withDependencies(root: string, names: readonly string[], platform: Platform): string[] {
  const found = new Set<string>()
  const add = (name: string) => {
    if (found.has(name)) return
    found.add(name)
    const file = join(root, 'node_modules', name, 'package.json')
    if (!existsSync(file)) return
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(file, 'utf8'))
    const platforms = Object.keys(optionalDependencies)
    const wanted = platforms.filter((each) => each.endsWith(`-linux-${PROCESSORS[platform].node}-gnu`))
    for (const each of [...Object.keys(dependencies), ...wanted]) add(each)
  }
  names.forEach(add)
  return [...found].sort()
}

function filesOf(directory: string, wanted: RegExp): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter((file) => wanted.test(file))
    .sort()
}
