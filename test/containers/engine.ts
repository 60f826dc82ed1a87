import { messageOf } from '../../src/lib/errors.ts'
import { testEnvironment } from '../support/test-environment.ts'
import { startPrivateEngine } from './private-engine.ts'
import { runCommand } from './run-command.ts'

/** A Docker engine with its compose plugin. */
export interface Engine {
  /** `private`: started for these tests, and nobody else's. */
  readonly kind: 'machine' | 'private'
  /** For processes that call `docker` themselves. */
  readonly env: Readonly<Record<string, string>>
  /** Runs `docker …`; resolves with what it printed, trimmed, and rejects with its last lines. */
  docker(...args: string[]): Promise<string>
  /** The same for `docker compose …`. */
  compose(...args: string[]): Promise<string>
  /** Stops an engine that was started here; the machine's goes on. */
  close(): Promise<void>
}

const ANSWER_WITHIN_MS = 10_000

/** @returns the machine's engine where one answers, else one of our own, or why there is none */
export async function startEngine(): Promise<Engine | { missing: string }> {
  const shell = testEnvironment(process.env)
  if (await succeeds(['version'], shell)) {
    if (!(await succeeds(['compose', 'version'], shell)))
      return { missing: 'docker here has no compose plugin' }
    return engineOf('machine', shell, async () => {})
  }
  try {
    const own = await startPrivateEngine(shell)
    return 'missing' in own ? own : engineOf('private', own.env, own.close)
  } catch (error) {
    return { missing: messageOf(error) }
  }
}

function engineOf(kind: Engine['kind'], env: Engine['env'], close: Engine['close']): Engine {
  const docker = async (...args: string[]) => (await runCommand('docker', args, { env })).trim()
  return { kind, env, docker, compose: (...args) => docker('compose', ...args), close }
}

async function succeeds(args: string[], env: Engine['env']): Promise<boolean> {
  return await runCommand('docker', args, { env, withinMs: ANSWER_WITHIN_MS }).then(
    () => true,
    () => false,
  )
}
