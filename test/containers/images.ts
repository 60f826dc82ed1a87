import type { Engine } from './engine.ts'
import { runCommand } from './run-command.ts'

/** Where no registry is, that is known at once: no name, no route. This is for one that is slow. */
const PULL_WITHIN_MS = 180_000

export async function hasImage(engine: Engine, name: string): Promise<boolean> {
  return (await engine.docker('image', 'ls', '--quiet', name)) !== ''
}

/** Whether an official image is here, or could be pulled. */
export async function isHad(engine: Engine, name: string): Promise<boolean> {
  if (await hasImage(engine, name)) return true
  const pull = runCommand('docker', ['pull', '--quiet', name], { env: engine.env, withinMs: PULL_WITHIN_MS })
  return await pull.then(
    () => true,
    () => false,
  )
}
