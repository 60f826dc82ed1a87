import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Argument, type Command, Option } from 'commander'
import { COMPONENTS, type ComponentType } from '../../components.ts'
import { KodusError } from '../../lib/errors.ts'
import { printable } from '../../review/printable.ts'
import { buildImages } from '../images/build-images.ts'
import { PLATFORMS, type Platform, platformOfThisMachine } from '../images/platform.ts'
import { stageImage } from '../images/stage-image.ts'
import { installationDirectory, runsFromCheckout, version } from '../installation.ts'

interface BuildFlags {
  tag: string
  baseImage: string
  platform?: Platform
  stageOnly?: string
}

const TYPES = Object.keys(COMPONENTS) as ComponentType[]
const NAMES = TYPES.map((type) => COMPONENTS[type].name)

export function addBuild(program: Command): void {
  program
    .command('build')
    .description('build the container images of this checkout')
    .addArgument(new Argument('[components...]', 'which of them; all if none is named').choices(NAMES))
    .option('--tag <tag>', 'the part of their names after the colon', version)
    .option('--base-image <image>', 'Debian or Ubuntu with Node 24', 'node:24-bookworm-slim')
    .addOption(
      new Option('--platform <platform>', "what they are to run on; default: the engine's own").choices(
        PLATFORMS,
      ),
    )
    .option('--stage-only <directory>', 'put what they hold there, and build nothing')
    .action(async (names: string[], flags: BuildFlags) => {
      if (!runsFromCheckout) throw notACheckout()
      const root = resolve(installationDirectory)
      const components = TYPES.filter((type) => names.length === 0 || names.includes(COMPONENTS[type].name))
      if (flags.stageOnly !== undefined) return stageAll(root, components, flags, flags.stageOnly)
      const say = (line: string) => console.error(printable(line))
      const request = { ...flags, platform: flags.platform, root, version, components, say }
      for await (const { name, bytes } of buildImages(request)) {
        console.log(`${name.padEnd(40)} ${megabytes(bytes)} MB`)
      }
    })
}

async function stageAll(
  root: string,
  components: readonly ComponentType[],
  { platform = platformOfThisMachine() }: BuildFlags,
  directory: string,
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'kodus-build-'))
  try {
    for (const type of components) {
      const target = join(directory, COMPONENTS[type].name)
      const options = { root, type, platform, directory: target, scratch: join(scratch, type) }
      const { packages } = await stageImage(options)
      console.log(`${target.padEnd(40)} ${packages.length} packages of others`)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1024 ** 2)).padStart(5)
}

function notACheckout(): KodusError {
  return new KodusError(
    'NOT_A_CHECKOUT',
    'Images are built from a checkout, and this is the published package.',
    {
      help: 'Clone the repository, and run there: npm run images',
    },
  )
}
