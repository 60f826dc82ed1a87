import { randomBytes } from 'node:crypto'
import type { Engine } from './engine.ts'

export interface Scope {
  /** What the names of a test's containers, networks and volumes begin with; good as a compose project, too. */
  readonly prefix: string
  /** Removes all of them. */
  close(): Promise<void>
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** A name for what a test makes in an engine that is not its own; removed also when the test is interrupted. */
export function createScope(engine: Engine): Scope {
  const prefix = `kodus-test-${randomBytes(4).toString('hex')}`
  const interrupted = () => void removeAll(engine, prefix).finally(() => process.exit(130))
  for (const signal of SIGNALS) process.once(signal, interrupted)
  return {
    prefix,
    async close() {
      for (const signal of SIGNALS) process.off(signal, interrupted)
      await removeAll(engine, prefix)
    },
  }
}

/** Volumes and networks go only after the containers that use them. */
async function removeAll(engine: Engine, prefix: string): Promise<void> {
  const removals = [
    { list: ['ps', '--all'], remove: ['rm', '--force', '--volumes'] },
    { list: ['network', 'ls'], remove: ['network', 'rm'] },
    { list: ['volume', 'ls'], remove: ['volume', 'rm', '--force'] },
  ]
  for (const { list, remove } of removals) {
    const found = await engine.docker(...list, '--quiet', '--filter', `name=${prefix}`)
    if (found !== '') await engine.docker(...remove, ...found.split('\n'))
  }
}
