import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { messageOf } from '../../src/lib/errors.ts'
import { missing } from '../support/missing.ts'
import { compact, type OpenApi } from './compact-description.ts'

// GitHub's own description of its REST API. Its package is 394 MB unpacked, of which one file of 13 MB is
// wanted, so it is no dependency: npm fetches it when a test first needs it, and what is needed of it is kept
// below node_modules.

const PACKAGE = '@octokit/openapi@23.0.2'
const INTEGRITY =
  'sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg=='
const FILE = 'package/generated/api.github.com.json'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CACHE = path.join(ROOT, 'node_modules', '.cache', 'kodus')
/** What is kept depends on how it is made smaller, and so on that module's text. */
const form = createHash('sha256').update(readFileSync(new URL('compact-description.ts', import.meta.url)))
const KEPT = path.join(CACHE, `github-rest-23.0.2-${form.digest('hex').slice(0, 12)}.json`)
const LOCK = `${KEPT}.lock`

/** Longer than any download that is still going on. */
const LOCK_LIFE_MS = 5 * 60_000
const POLL_MS = 200

/**
 * Sees to it that GitHub's description is here.
 *
 * @returns why tests that need it have to be skipped, or false
 */
export async function githubDescription(): Promise<string | false> {
  try {
    await fetchOnce()
    return false
  } catch (error) {
    // The command, and npm's code; npm says the rest at length.
    const why = messageOf(error).split('\n').slice(0, 2).join(' ')
    const reason = missing(`GitHub's API description (${PACKAGE}) could not be fetched: ${why}`)
    console.error(reason)
    return reason
  }
}

/** The description, made smaller. @throws when `githubDescription` has not brought it here */
export function readDescription(): OpenApi {
  return JSON.parse(readFileSync(KEPT, 'utf8'))
}

/** Several test processes want it at once: one fetches it, the others wait. */
async function fetchOnce(): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  while (!existsSync(KEPT)) {
    if (!takeLock()) {
      await sleep(POLL_MS)
      continue
    }
    try {
      const whole = JSON.parse(await fetchWhole())
      const temporary = `${KEPT}.${process.pid}`
      writeFileSync(temporary, JSON.stringify(compact(whole)))
      renameSync(temporary, KEPT)
      forgetOthers()
    } finally {
      rmSync(LOCK, { recursive: true, force: true })
    }
  }
}

/** Made by other versions of this module. */
function forgetOthers(): void {
  for (const name of readdirSync(CACHE)) {
    const isOther = /^github-rest-.*\.json$/.test(name) && name !== path.basename(KEPT)
    if (isOther) rmSync(path.join(CACHE, name), { force: true })
  }
}

function takeLock(): boolean {
  try {
    mkdirSync(LOCK)
    return true
  } catch {
    const since = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    // Whoever held it was killed.
    if (Date.now() - since > LOCK_LIFE_MS) rmSync(LOCK, { recursive: true, force: true })
    return false
  }
}

async function fetchWhole(): Promise<string> {
  const directory = mkdtempSync(path.join(CACHE, 'download-'))
  const run = promisify(execFile)
  try {
    // npm_execpath is npm itself, set by `npm run`.
    const npm = process.env.npm_execpath
    const [command, args] = npm ? [process.execPath, [npm]] : ['npm', []]
    const pack = ['pack', PACKAGE, '--pack-destination', directory, '--json', '--loglevel=error']
    // Who has no network is told soon.
    const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=1000']
    const { stdout } = await run(command, [...args, ...pack, ...patience], { cwd: directory })
    const [{ filename }] = JSON.parse(stdout)
    const tarball = path.join(directory, path.basename(filename))
    const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    if (integrity !== INTEGRITY) throw new Error(`${PACKAGE} is not what it was: ${integrity}`)
    await run('tar', ['-xzf', tarball, '-C', directory, FILE])
    return readFileSync(path.join(directory, FILE), 'utf8')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
