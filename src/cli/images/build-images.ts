import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMPONENTS, type ComponentType } from '../../components.ts'
import { askEngine, buildImage, describeBase, forgetImage, sizeOf } from './engine.ts'
import type { Platform } from './platform.ts'
import { readRevision } from './revision.ts'
import { stageImage } from './stage-image.ts'

export interface BuildRequest {
  /** The checkout. */
  root: string
  version: string
  components: readonly ComponentType[]
  tag: string
  baseImage: string
  /** Undefined: the engine's own. */
  platform: Platform | undefined
  /** Is told what is being done, and what the engine says when it fails. */
  say(line: string): void
}

export interface BuiltImage {
  type: ComponentType
  /** `kodus-ai/worker:1.2.3` */
  name: string
  bytes: number
}

/** What the image of a component is called. */
export function imageName(type: ComponentType, tag: string): string {
  return `kodus-ai/${COMPONENTS[type].name}:${tag}`
}

/**
 * Builds images, one after the other, and yields each when it is there.
 *
 * @throws KodusError ENGINE_MISSING, BUILD_FAILED, BASE_IMAGE_UNSUITABLE or PACKAGE_UNAVAILABLE
 */
export async function* buildImages(request: BuildRequest): AsyncGenerator<BuiltImage> {
  const { root, version, components, tag, baseImage, platform, say } = request
  const ownPlatform = await askEngine()
  const { revision, source } = await readRevision(root)
  const labels = Object.fromEntries(
    Object.entries({ version, revision, source }).flatMap(([key, value]) =>
      value === undefined ? [] : [[`org.opencontainers.image.${key}`, value]],
    ),
  )
  const scratch = mkdtempSync(join(tmpdir(), 'kodus-build-'))
  const bases = new Set<string>()
  try {
    for (const type of components) {
      const { name: target } = COMPONENTS[type]
      const context = join(scratch, type)
      say(`${target}: staging`)
      const stage = await stageImage({
        root,
        type,
        platform: platform ?? ownPlatform,
        directory: context,
        scratch: join(scratch, 'fetched', type),
      })

      const dockerfile = join(root, 'infra', 'docker', 'Dockerfile')
      const common = { dockerfile, context, baseImage, platform, idFile: join(scratch, 'id'), say }
      say(`${target}: building`)
      const base = await buildImage({ ...common, target: `${target}-base` })
      bases.add(base)
      stage.describeBase(await describeBase(base, baseImage))
      const name = imageName(type, tag)
      await buildImage({ ...common, target, labels, tag: name })
      yield { type, name, bytes: await sizeOf(name) }
    }
    for (const base of bases) await forgetImage(base)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
