import { spawn } from 'node:child_process'
import { KodusError } from '../../lib/errors.ts'

export interface ToolRun {
  code: number | null
  stdout: string
  /** Both streams, as they came. */
  output: string
}

/**
 * Runs a program to its end with our environment, and returns what it printed, whatever its exit code.
 *
 * @throws KodusError TOOL_MISSING
 */
export function runTool(
  program: string,
  args: readonly string[],
  { cwd }: { cwd?: string } = {},
): Promise<ToolRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => output.push(chunk))
    child.once('error', (cause) =>
      reject(
        new KodusError('TOOL_MISSING', `${program} cannot be run: ${cause.message}`, {
          help: `Install ${program}, or put it into PATH.`,
          cause,
        }),
      ),
    )
    child.once('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), output: Buffer.concat(output).toString() }),
    )
  })
}

const SHOWN_LINES = 15

/** The end of what a program printed, where it says why it failed; one line at least. */
export function lastLines(output: string): string[] {
  return output.trim().split('\n').slice(-SHOWN_LINES)
}
