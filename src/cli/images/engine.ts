import { readFileSync } from 'node:fs'
import { KodusError } from '../../lib/errors.ts'
import type { BaseFacts } from './bill-of-materials.ts'
import { PLATFORMS, type Platform } from './platform.ts'
import { lastLines, runTool } from './run-tool.ts'

export interface BuildOptions {
  dockerfile: string
  target: string
  /** The context: all that the build may copy. */
  context: string
  baseImage: string
  /** Undefined: the engine's own. */
  platform: Platform | undefined
  /** A file that the engine may write. */
  idFile: string
  labels?: Readonly<Record<string, string>>
  /** Is told the engine's last lines when it fails. */
  say(line: string): void
  /** Its name. Without one it has its id alone. */
  tag?: string
}

const INSTALL =
  'Install one and start it (Debian and Ubuntu: apt-get install docker.io; elsewhere Docker Engine or Docker Desktop), or point DOCKER_HOST at one. `docker info` must answer.'

/**
 * The platform for which the engine builds if nothing else is said.
 *
 * @throws KodusError ENGINE_MISSING
 */
export async function askEngine(): Promise<Platform> {
  const args = ['version', '--format', '{{.Server.Os}}/{{.Server.Arch}}']
  const { code, stdout, output } = await runTool('docker', args).catch((cause) => {
    throw engineMissing('There is no container engine here: `docker` was not found.', cause)
  })
  if (code !== 0) throw engineMissing(`The container engine does not answer: ${lastLines(output).at(-1)}`)
  const platform = PLATFORMS.find((each) => each === stdout.trim())
  if (!platform) throw engineMissing(`The container engine is for ${stdout.trim()}, which is not supported.`)
  return platform
}

/**
 * Has the engine build an image, and waits for it.
 *
 * @returns the image's id
 * @throws KodusError BUILD_FAILED, with what the engine said at last
 */
export async function buildImage(options: BuildOptions): Promise<string> {
  const { dockerfile, target, context, baseImage, platform, labels = {}, tag, idFile, say } = options
  const values = {
    '--file': dockerfile,
    '--target': target,
    '--build-arg': `BASE_IMAGE=${baseImage}`,
    '--iidfile': idFile,
    ...(platform ? { '--platform': platform } : {}),
    ...(tag ? { '--tag': tag } : {}),
  }
  const labelled = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
  const { code, output } = await runTool('docker', [
    'build',
    ...Object.entries(values).flat(),
    ...labelled,
    context,
  ])
  if (code === 0) return readFileSync(idFile, 'utf8').trim()
  const said = lastLines(output)
  for (const line of said) say(line)
  throw new KodusError('BUILD_FAILED', `The engine did not build ${target}: ${said.at(-1)}`, {
    help: 'Its last lines are above. Base images come from their registry, and packages that one lacks from Debian; where neither is reached, pass --base-image with one that has them: see infra/docker/Dockerfile.',
  })
}

const LIST_BASE = `node --version && . /etc/os-release && echo "$ID $VERSION_ID" &&
dpkg-query --show --showformat '\${Package} \${Version} \${Architecture}\n'`

/**
 * What an image has of Debian's and Node's.
 *
 * @throws KodusError BASE_IMAGE_UNSUITABLE
 */
export async function describeBase(image: string, baseImage: string): Promise<BaseFacts> {
  const shell = ['--network', 'none', '--entrypoint', 'sh', image, '-c', LIST_BASE]
  const { code, stdout, output } = await runTool('docker', ['run', '--rm', ...shell])
  const [node = '', distribution = '', ...packages] = stdout.trim().split('\n')
  if (code !== 0) throw unsuitable(`${baseImage} cannot be looked at: ${lastLines(output).at(-1)}`)
  if (Number.parseInt(node.slice(1), 10) < NODE_MAJOR) throw unsuitable(`${baseImage} has Node ${node}.`)
  const [id = '', version = ''] = distribution.split(' ')
  return {
    node: node.slice(1),
    distribution: { id, version },
    packages: packages.map((line) => {
      const [name = '', version = '', architecture = ''] = line.split(' ')
      return { name, version, architecture }
    }),
  }
}

/** Bytes. */
export async function sizeOf(image: string): Promise<number> {
  const { stdout } = await runTool('docker', ['image', 'inspect', '--format', '{{.Size}}', image])
  return Number(stdout)
}

/** Forgets an image that has no name, unless others are made from it: a cache keeps its layers. */
export async function forgetImage(id: string): Promise<void> {
  await runTool('docker', ['image', 'rm', id])
}

/** What bundles are made for. */
const NODE_MAJOR = 24

function unsuitable(message: string): KodusError {
  return new KodusError('BASE_IMAGE_UNSUITABLE', message, {
    help: `The base has to be Debian or Ubuntu with Node ${NODE_MAJOR} or later in PATH, as node:24-bookworm-slim is.`,
  })
}

function engineMissing(message: string, cause?: unknown): KodusError {
  return new KodusError('ENGINE_MISSING', message, { help: INSTALL, cause })
}
