import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

export interface CommandOptions {
  env: Readonly<Record<string, string>>
  cwd?: string
  /** It is killed then. */
  withinMs?: number
}

const SAID = 20

/**
 * Runs a command to its end.
 *
 * @returns what it printed
 * @throws Error with the last lines of what it complained of
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const { env, cwd, withinMs = 10 * 60_000 } = options
  const child = spawn(command, args, { env: { ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const limit = setTimeout(() => child.kill('SIGKILL'), withinMs)
  try {
    const [[code, signal], output, complaints] = await Promise.all([
      once(child, 'close'),
      text(child.stdout),
      text(child.stderr),
    ])
    if (code === 0) return output
    const said = `${output}\n${complaints}`.trim().split('\n').slice(-SAID).join('\n')
    throw new Error(`${command} ${args.slice(0, 4).join(' ')} ended with ${signal ?? code}:\n${said}`)
  } finally {
    clearTimeout(limit)
  }
}
