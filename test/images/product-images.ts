import { fileURLToPath } from 'node:url'
import { imageName } from '../../src/cli/images/build-images.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import { ensureBaseImage } from '../containers/base-image.ts'
import type { Engine } from '../containers/engine.ts'
import { runCommand } from '../containers/run-command.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Builds the product's images with the command that its users have.
 *
 * @returns their names
 */
export async function buildProductImages(
  engine: Engine,
  tag: string,
): Promise<Record<ComponentType, string>> {
  const base = await ensureBaseImage(engine)
  const args = ['src/cli/main.ts', 'build', '--base-image', base, '--tag', tag]
  await runCommand(process.execPath, args, { cwd: CHECKOUT, env: engine.env })
  const types = Object.keys(COMPONENTS) as ComponentType[]
  return Object.fromEntries(types.map((type) => [type, imageName(type, tag)])) as Record<
    ComponentType,
    string
  >
}
