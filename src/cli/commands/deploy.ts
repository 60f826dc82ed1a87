import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { KodusError } from '../../lib/errors.ts'
import { connectToAws } from '../deploy/aws-call.ts'
import { buildAndPush } from '../deploy/build-and-push.ts'
import { deploy, followCurrent, type ImageSource, recordFirst } from '../deploy/deploy.ts'
import { addTargetOptions, runFollowed, type TargetFlags } from '../deploy/follow-command.ts'
import { resolveImage } from '../deploy/image-reference.ts'
import { PLATFORMS, type Platform } from '../images/platform.ts'
import { installationDirectory, runsFromCheckout, version } from '../installation.ts'

interface DeployFlags extends TargetFlags {
  image?: string
  build?: true
  first?: true
  follow?: true
  baseImage: string
  platform?: Platform
}

export function addDeploy(program: Command): void {
  addTargetOptions(
    program.command('deploy').description('deploy an image to one service on ECS, and say whether it works'),
  )
    .option(
      '--image <image>',
      'by its digest: repository@sha256:…, or sha256:… in the component’s repository',
    )
    .option('--build', 'build the image of this checkout and push it')
    .option('--first', 'the service does not exist yet: only record the image, for the CDK to make it with')
    .option('--follow', 'follow what is being deployed already')
    .option('--base-image <image>', 'for --build: Debian or Ubuntu with Node 24', 'node:24-bookworm-slim')
    .addOption(
      new Option(
        '--platform <platform>',
        'for --build; default: what the service runs on, with --first none',
      ).choices(PLATFORMS),
    )
    .action((component: string, flags: DeployFlags) => {
      ensureOneSource(flags)
      return runFollowed(component, flags, async (target, options) => {
        const { say } = options.progress
        const call = await connectToAws({ region: flags.region, say })
        const source: ImageSource = (architecture) => {
          if (flags.image !== undefined) return resolveImage(call, target, flags.image, say)
          const platform = flags.platform ?? platformOf(architecture)
          const { baseImage } = flags
          const root = resolve(installationDirectory)
          return buildAndPush(call, target, { root, version, baseImage, platform, say })
        }
        if (flags.follow) return followCurrent(call, target, options)
        if (flags.first) return recordFirst(call, target, source, say)
        return deploy(call, target, source, options)
      })
    })
}

function platformOf(architecture: string | undefined): Platform {
  return architecture === 'ARM64' ? 'linux/arm64' : 'linux/amd64'
}

function ensureOneSource({ image, build, follow, first, platform }: DeployFlags): void {
  const said = [image !== undefined && '--image', build && '--build', follow && '--follow'].filter(Boolean)
  if (said.length !== 1 || (follow && first)) {
    throw new KodusError(
      'WRONG_OPTIONS',
      said.length === 0
        ? 'It is not said what to deploy.'
        : `These do not go together: ${said.join(', ')}${first ? ', --first' : ''}.`,
      {
        help: 'Give one of --image <repository@sha256:…>, --build, or --follow; --first goes with the first two.',
      },
    )
  }
  if (build && first && platform === undefined) {
    throw new KodusError(
      'PLATFORM_MISSING',
      'There is no service yet that says what the image is to run on.',
      {
        help: `Say it: --platform ${PLATFORMS.join(' or ')}.`,
      },
    )
  }
  if (build && !runsFromCheckout) {
    throw new KodusError(
      'NOT_A_CHECKOUT',
      'Images are built from a checkout, and this is the published package.',
      {
        help: 'Clone the repository and run there: npm run kodus -- deploy … --build; or name an image: --image.',
      },
    )
  }
}
