import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../src/lib/errors.ts'
import { CACHE } from '../support/debian-packages.ts'
import { missing } from '../support/missing.ts'

/**
 * A program that pip has, fetched once and installed nowhere.
 *
 * @returns its directory, and for a test's `skip` why it cannot be had, or false
 */
export function findPythonTool(name: string, version: string): { place: string; skip: string | false } {
  const place = path.join(CACHE, `${name}-${version}`)
  if (existsSync(place)) return { place, skip: false }
  console.error(`Fetching ${name} ${version} (once) …`)
  const work = `${place}-${process.pid}`
  mkdirSync(work, { recursive: true })
  try {
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input', '--root-user-action=ignore']
    const patience = ['--retries=1', '--timeout=30']
    const what = ['--target', work, `${name}==${version}`]
    const options = [...quiet, ...patience, ...what]
    execFileSync('python3', ['-m', 'pip', 'install', ...options], { stdio: ['ignore', 2, 'pipe'] })
    if (!existsSync(place)) renameSync(work, place)
    return { place, skip: false }
  } catch (error) {
    return { place, skip: missing(`${name} cannot be fetched by pip: ${messageOf(error)}`) }
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
