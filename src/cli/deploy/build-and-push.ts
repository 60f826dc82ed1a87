import { buildImages } from '../images/build-images.ts'
import type { Platform } from '../images/platform.ts'
import { readRevision } from '../images/revision.ts'
import type { AwsCall } from './aws-call.ts'
import { isRefusal } from './aws-error.ts'
import { repositoryUri } from './image-reference.ts'
import { pushImage } from './push-image.ts'
import type { Target } from './target.ts'

export interface BuildOptions {
  /** The checkout. */
  root: string
  version: string
  baseImage: string
  platform: Platform
  say(line: string): void
}

/**
 * Builds the component's image of a checkout and pushes it, unless the repository has this commit's already.
 *
 * @returns `repository@sha256:…`
 * @throws KodusError REPOSITORY_MISSING, PUSH_FAILED, and those of buildImages
 */
export async function buildAndPush(call: AwsCall, target: Target, options: BuildOptions): Promise<string> {
  const { root, platform, say } = options
  const repository = await repositoryUri(call, target)
  const { revision } = await readRevision(root)
  const processor = platform.slice(platform.indexOf('/') + 1)
  // A tag is never moved. What is not a commit alone has a tag of its own each time.
  const isCommit = revision !== undefined && !revision.endsWith('-dirty')
  const now = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const tag = [revision ?? options.version, processor, isCommit ? [] : now].flat().join('-')

  const there = isCommit ? await digestOf(call, target, tag) : undefined
  if (there) {
    say(`${repository}:${tag} is there already.`)
    return `${repository}@${there}`
  }
  const components = [target.component]
  for await (const { name } of buildImages({ ...options, components, tag })) {
    say(`Pushing ${repository}:${tag}`)
    return pushImage(call, name, repository, tag)
  }
  throw new Error('nothing was built')
}

async function digestOf(
  call: AwsCall,
  { repository }: Target,
  imageTag: string,
): Promise<string | undefined> {
  const input = { repositoryName: repository, imageIds: [{ imageTag }] }
  const { imageDetails = [] } = await call<{ imageDetails?: { imageDigest: string }[] }>(
    'ecr',
    'DescribeImages',
    input,
  ).catch((error) => {
    if (!isRefusal(error, 'ImageNotFoundException')) throw error
    return { imageDetails: [] }
  })
  return imageDetails[0]?.imageDigest
}
