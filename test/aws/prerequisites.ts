import { type Engine, startEngine } from '../containers/engine.ts'
import { type AwsCli, findAwsCli } from '../ecs-definitions/aws-cli.ts'
import { missing } from '../support/missing.ts'
import { findMiniStack } from './ministack.ts'

export interface Prerequisites {
  engine: Engine
  cli: AwsCli
  /** MiniStack's directories for Python. */
  places: readonly string[]
}

/** @returns what these tests need of a machine, the engine started; or for their `skip` why it cannot be had */
export async function findPrerequisites(): Promise<Prerequisites | { skip: string }> {
  if (process.platform !== 'linux')
    return { skip: missing('containers are reached by their own addresses on Linux only') }
  const cli = findAwsCli()
  if (cli.skip) return { skip: cli.skip }
  const { places, skip } = findMiniStack()
  if (skip) return { skip }
  const engine = await startEngine()
  return 'missing' in engine ? { skip: missing(engine.missing) } : { engine, cli, places }
}
