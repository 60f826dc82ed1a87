import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { imageName } from '../../src/cli/images/build-images.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import { ensureBaseImage } from './base-image.ts'
import type { Engine } from './engine.ts'
import { runCommand } from './run-command.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))

export interface ProductImages {
  /** What is behind the colon in their names. */
  tag: string
  names: Readonly<Record<ComponentType, string>>
  remove(): Promise<void>
}

/** The three images of this checkout, by `kodus build`, under a tag of their own. */
export async function buildProductImages(engine: Engine): Promise<ProductImages> {
  const base = await ensureBaseImage(engine)
  const tag = `test-${randomBytes(4).toString('hex')}`
  const build = [path.join(CHECKOUT, 'src/cli/main.ts'), 'build', '--tag', tag, '--base-image', base]
  await runCommand(process.execPath, build, { env: engine.env, cwd: CHECKOUT })
  const types = Object.keys(COMPONENTS) as ComponentType[]
  const names = Object.fromEntries(types.map((type) => [type, imageName(type, tag)])) as Record<
    ComponentType,
    string
  >
  const remove = async () => void (await engine.docker('image', 'rm', '--force', ...Object.values(names)))
  return { tag, names, remove }
}
