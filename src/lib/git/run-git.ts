import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { KodusError } from '../errors.ts'
import { readGitSettings } from './config.ts'
import { configArguments, environment, type RemoteAccess } from './environment.ts'
import { gitFailure, gitPrintedTooMuch, gitTimedOut } from './git-error.ts'
import type { GitSettings } from './settings.ts'

export interface GitCommand {
  /** The subcommand first. Untrusted words stand behind `--` or `--end-of-options`. */
  args: readonly string[]
  gitDir?: string
  /** Besides what every command is given. */
  config?: Readonly<Record<string, string>>
  input?: string
  /** Exit codes besides 0 that are an answer and no failure. */
  answers?: readonly number[]
  /** Instead of the limit in the settings. */
  outputBytes?: number
  access?: RemoteAccess
}

export interface GitResult {
  stdout: Buffer
  exitCode: number
}

/** Runs one command. */
export type Git = (command: GitCommand, signal: AbortSignal) => Promise<GitResult>

const STDERR_CHARS = 64 * 1024
const SHELL = '/bin/sh'
// POSIX counts `ulimit -f` in blocks of 512 bytes, whatever the file system does. With the signal ignored
// the write fails instead, and whichever process of git's it was says so.
const LIMITED = 'ulimit -c 0; ulimit -f "$1" || exit 126; trap "" XFSZ; shift; exec git "$@"'

/**
 * The real git, for input nobody trusts: it sees none of this process's environment and no configuration
 * but ours, runs no program that a repository names, and talks to no remote unless the command names one.
 * It is killed, with everything it started, when it exceeds a limit or the signal is aborted.
 *
 * @param home an empty directory of ours, also the working directory
 * @throws (the function returned) `signal.reason` if aborted; KodusError GIT_TIMEOUT, GIT_TOO_LARGE,
 *   GIT_MISSING, GIT_FAILED or one of the codes in `git-error.ts`
 */
export function createGit(settings: GitSettings, home: string): Git {
  return async (command, signal) => {
    signal.throwIfAborted()
    const { limits } = settings
    const name = command.args[0] ?? ''
    const outputBytes = command.outputBytes ?? limits.outputBytes
    const timeMs = command.access ? limits.networkMs : limits.localMs

    const child = start(settings, home, command)
    let stopped: unknown
    const stop = (reason: unknown) => {
      stopped ??= reason
      killGroup(child)
    }
    const onAbort = () => stop(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = setTimeout(
      () => stop(gitTimedOut(name, timeMs, command.access ? 'transient' : 'permanent')),
      timeMs,
    )
    try {
      const stdout: Buffer[] = []
      let printed = 0
      child.stdout?.on('data', (chunk: Buffer) => {
        printed += chunk.length
        if (printed > outputBytes) stop(gitPrintedTooMuch(name, outputBytes))
        else stdout.push(chunk)
      })
      let stderr = ''
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        if (stderr.length < STDERR_CHARS) stderr += chunk
      })
      // A git that ends early leaves its input unread, and says why.
      child.stdin?.on('error', () => {}).end(command.input)
      const exitCode = await ended(child)
      if (stopped !== undefined) throw stopped
      if (exitCode === 0 || (exitCode !== null && command.answers?.includes(exitCode))) {
        return { stdout: Buffer.concat(stdout), exitCode }
      }
      if (exitCode === 127) throw gitMissing()
      throw gitFailure(name, stderr || `killed by ${child.signalCode}`, command.access)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}

function start(
  settings: GitSettings,
  home: string,
  { args, gitDir, config = {}, input, access }: GitCommand,
): ChildProcess {
  const ownConfig = Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const git = [...configArguments(settings, access), ...ownConfig, ...args]
  const blocks = Math.floor(settings.limits.fileBytes / 512)
  // Where there is no POSIX shell (Windows) the size of files goes unlimited; time and output do not.
  const [file, argv] = existsSync(SHELL)
    ? [SHELL, ['-c', LIMITED, 'sh', String(blocks), ...git]]
    : ['git', git]
  return spawn(file, argv, {
    cwd: home,
    env: environment(settings, { home, gitDir, access }),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    // A process group of its own, so that remote helpers and index-pack die with it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  })
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('close', (exitCode) => resolve(exitCode))
    child.once('error', (error) => {
      reject((error as NodeJS.ErrnoException).code === 'ENOENT' ? gitMissing() : error)
    })
  })
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  } catch {
    // Gone already.
  }
  // Something that left the group could hold the pipes open.
  child.stdout?.destroy()
  child.stderr?.destroy()
}

function gitMissing(): KodusError {
  return new KodusError('GIT_MISSING', 'There is no git on this machine, or not where PATH looks.', {
    help: 'Install git 2.30 or newer.',
  })
}

/**
 * @returns the version, as `2.39.5`
 * @throws KodusError GIT_MISSING; GIT_TOO_OLD below 2.30, where `--end-of-options` cannot be relied on
 */
export async function checkGitVersion(git: Git, signal: AbortSignal): Promise<string> {
  const { stdout } = await git({ args: ['version'] }, signal)
  const [version = '', major = 0, minor = 0] = /(\d+)\.(\d+)[.\d]*/.exec(stdout.toString()) ?? []
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 30)) return version
  throw new KodusError('GIT_TOO_OLD', `This machine has ${stdout.toString().trim()}.`, {
    help: 'Install git 2.30 or newer.',
  })
}

/** The version of this machine's git. Throws as `checkGitVersion` does. */
export async function gitVersion(settings: GitSettings = readGitSettings()): Promise<string> {
  return await checkGitVersion(createGit(settings, tmpdir()), new AbortController().signal)
}
