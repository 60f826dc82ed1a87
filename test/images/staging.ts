import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Platform, platformOfThisMachine } from '../../src/cli/images/platform.ts'
import { stageImage } from '../../src/cli/images/stage-image.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** A directory far from every `node_modules`, removed after the file's tests. */
export function makeScratch(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-images-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Stages components as `kodus build` does, one after the other. */
export async function stage(
  directory: string,
  types: readonly ComponentType[],
  platform: Platform = platformOfThisMachine(),
): Promise<void> {
  for (const type of types) {
    const target = path.join(directory, COMPONENTS[type].name)
    const scratch = path.join(directory, 'fetched')
    await stageImage({ root: ROOT, type, platform, directory: target, scratch })
  }
}
