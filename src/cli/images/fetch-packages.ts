import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KodusError } from '../../lib/errors.ts'
import { type Platform, PROCESSORS } from './platform.ts'
import { lastLines, runTool } from './run-tool.ts'

/**
 * Has npm fetch packages of the lock file that this machine's own installation leaves out, into `node_modules` of an
 * empty directory. npm holds them to the lock file's checksums; their scripts are not run.
 *
 * @throws KodusError PACKAGE_UNAVAILABLE
 */
export async function fetchPackages(
  root: string,
  names: readonly string[],
  platform: Platform,
  directory: string,
): Promise<void> {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const entries = names.map((name) => [name, lock.packages[`node_modules/${name}`]] as const)
  const optionalDependencies = Object.fromEntries(entries.map(([name, entry]) => [name, entry?.version]))
  const packages = Object.fromEntries(entries.map(([name, entry]) => [`node_modules/${name}`, entry]))
  // Of the others npm wants that they are for the machine that it runs on.
  const manifest = { name: 'fetched', version: '0.0.0', optionalDependencies }
  const lockOfThese = { ...manifest, lockfileVersion: 3, packages: { '': manifest, ...packages } }
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lockOfThese))

  const target = ['--os=linux', `--cpu=${PROCESSORS[platform].node}`, '--libc=glibc']
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { code, output } = await runTool('npm', ['ci', ...target, ...quiet], { cwd: directory })
  if (code === 0 && names.every((name) => existsSync(join(directory, 'node_modules', name)))) return
  throw new KodusError(
    'PACKAGE_UNAVAILABLE',
    `What ${platform} needs could not be fetched (${names.join(', ')}): ${lastLines(output).join(' ')}`,
    { help: 'Check that npm reaches its registry: npm ping. Or build on a machine of that platform.' },
  )
}
