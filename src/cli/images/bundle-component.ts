import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Metafile, Plugin } from 'esbuild'
import type { ComponentType } from '../../components.ts'
import { ASSETS } from './copied-files.ts'

export interface Bundle {
  /** By their names, all in one folder: `main.js` starts the component. */
  files: ReadonlyMap<string, Uint8Array>
  /** The folders of the packages of which code is in the files: `node_modules/pg`. */
  packages: readonly string[]
  /** The packages that the files import at run time. */
  imports: readonly string[]
  /** The notices that the code asks to be kept. */
  notices: string
}

const ENTRIES: Record<ComponentType, Record<string, string>> = {
  webhook: { main: 'src/webhook-handler/main.ts' },
  api: { main: 'src/api-rest/main.ts' },
  worker: { main: 'src/worker/main.ts', 'custom-matcher': 'src/review/rules/custom-matcher.ts' },
}

/** What libraries in CommonJS expect to find. Declared by `var`: some declare it themselves. */
const BANNER = `import { createRequire as $createRequire } from 'node:module';
var require = $createRequire(import.meta.url), __filename = import.meta.filename, __dirname = import.meta.dirname;`

/** One component with all JavaScript that it reaches, native packages left out. The same sources give the same bytes. */
export async function bundleComponent(root: string, type: ComponentType, version: string): Promise<Bundle> {
  // A library of the checkout alone: the published package cannot build images.
  const { build } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ENTRIES[type],
    outdir: 'app',
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    banner: { js: BANNER },
    external: ['@ast-grep/*'],
    // A package is known by its place in the lock file, also where `node_modules` is a link.
    preserveSymlinks: true,
    plugins: [onlyVersion(version), withoutTerminal, withAssets],
    // One folder, so that a module finds its neighbours there wherever esbuild puts it.
    chunkNames: '[name]-[hash]',
    legalComments: 'external',
    metafile: true,
    logLevel: 'silent',
  })
  const named = outputFiles.map(({ path, contents }) => [basename(path), contents] as const)
  const isNotice = ([name]: readonly [string, unknown]) => name.endsWith('.LEGAL.txt')
  const notices = new Set(named.filter(isNotice).flatMap(([, text]) => paragraphs(text)))
  return {
    files: new Map(named.filter((file) => !isNotice(file))),
    packages: packagesIn(metafile),
    imports: importsOf(metafile),
    notices: [...notices].sort().join('\n\n'),
  }
}

function paragraphs(text: Uint8Array): string[] {
  return Buffer.from(text)
    .toString()
    .trim()
    .split(/\n\n(?=\S)/)
}

/** Of `package.json` nothing else: it would carry the names of all libraries into every image. */
function onlyVersion(version: string): Plugin {
  return {
    name: 'only the version of package.json',
    setup(build) {
      const own = join(build.initialOptions.absWorkingDir ?? '', 'package.json')
      build.onLoad({ filter: /package\.json$/ }, ({ path }) =>
        path === own ? { contents: JSON.stringify({ version }), loader: 'json' } : undefined,
      )
    },
  }
}

/** In a container the log is JSON, also where a terminal is attached. */
const withoutTerminal: Plugin = {
  name: 'without what is for terminals',
  setup(build) {
    build.onResolve({ filter: /^pino-pretty$/ }, () => ({ path: 'nothing', namespace: 'absent' }))
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: 'export default undefined' }))
  },
}

/** A library that reads files of its own finds them below `node_modules`, beside the bundle. */
const withAssets: Plugin = {
  name: 'where assets are',
  setup(build) {
    const names = Object.keys(ASSETS).join('|')
    const inPackage = new RegExp(`/node_modules/((?:${names})(?:/.*)?)/[^/]+\\.js$`)
    build.onLoad({ filter: inPackage }, async ({ path }) => {
      const folder = inPackage.exec(path)?.[1]
      const text = await readFile(path, 'utf8')
      return { contents: text.replaceAll('__dirname', `(__dirname + "/node_modules/${folder}")`) }
    })
  },
}

function packagesIn({ outputs }: Metafile): string[] {
  const kept = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  )
  const folders = kept.map(([file]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort()
}

function importsOf({ outputs }: Metafile): string[] {
  const paths = Object.values(outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
  return [...new Set(paths.filter((path) => path.startsWith('@ast-grep/')))].sort()
}
