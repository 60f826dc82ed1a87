import { KodusError } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import { isRefusal } from './aws-error.ts'
import type { Target } from './target.ts'

const DIGEST = /^sha256:[0-9a-f]{64}$/
/** What a private repository in ECR is called: account, region, name. */
const IN_ECR = /^(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\/(.+)$/

/**
 * The image that somebody named, as `repository@sha256:…`. A digest alone is of the component's own repository. What is
 * in ECR is looked up there.
 *
 * @throws KodusError IMAGE_NOT_PINNED, IMAGE_MISSING
 */
export async function resolveImage(
  call: AwsCall,
  target: Target,
  named: string,
  say: (line: string) => void,
): Promise<string> {
  const at = named.lastIndexOf('@')
  const digest = named.slice(at + 1)
  if (!DIGEST.test(digest)) throw notPinned(named, target)
  // A tag before the digest says nothing that the digest does not.
  const repository = at < 0 ? await repositoryUri(call, target) : named.slice(0, at).replace(/:[^:/]+$/, '')
  await ensureInEcr(call, repository, digest, say)
  return `${repository}@${digest}`
}

/**
 * Where the component's images are.
 *
 * @throws KodusError REPOSITORY_MISSING
 */
export async function repositoryUri(call: AwsCall, { repository }: Target): Promise<string> {
  const input = { repositoryNames: [repository] }
  const { repositories = [] } = await call<{ repositories?: { repositoryUri: string }[] }>(
    'ecr',
    'DescribeRepositories',
    input,
  ).catch((error) => {
    if (!isRefusal(error, 'RepositoryNotFoundException')) throw error
    return { repositories: [] }
  })
  if (repositories[0]) return repositories[0].repositoryUri
  throw new KodusError(
    'REPOSITORY_MISSING',
    `There is no ECR repository ${repository} in this account and region.`,
    {
      help: `Let the CDK make it (infra/cdk), or name the image with its repository: --image <repository>@sha256:…`,
    },
  )
}

async function ensureInEcr(
  call: AwsCall,
  repository: string,
  imageDigest: string,
  say: (line: string) => void,
): Promise<void> {
  const [, registryId, , repositoryName] = IN_ECR.exec(repository) ?? []
  if (!repositoryName)
    return say(`${repository} is not in ECR: whether the image is there will be seen when tasks start.`)
  const input = { registryId, repositoryName, imageIds: [{ imageDigest }] }
  try {
    await call('ecr', 'DescribeImages', input)
  } catch (error) {
    if (isRefusal(error, 'ImageNotFoundException', 'RepositoryNotFoundException')) {
      throw new KodusError('IMAGE_MISSING', `${repository} has no image ${imageDigest}.`, {
        help: `Push it first, or look which there are: aws ecr describe-images --repository-name ${repositoryName}`,
        cause: error,
      })
    }
    // Another account's registry may let tasks pull and us not look.
    if (!isRefusal(error, 'AccessDeniedException')) throw error
    say(`Whether ${repository} has the image could not be looked up: ecr:DescribeImages is not permitted.`)
  }
}

function notPinned(named: string, target: Target): KodusError {
  const [repository = '', tag = 'latest'] = named.split(/:(?=[^/]*$)/)
  const [, , , name = target.repository] = IN_ECR.exec(repository) ?? []
  return new KodusError(
    'IMAGE_NOT_PINNED',
    `${named} is not an image by its digest: what a tag means may change between two starts of a task.`,
    {
      help: `Ask what it means now, and deploy that: aws ecr describe-images --repository-name ${name} --image-ids imageTag=${tag} --query 'imageDetails[0].imageDigest' --output text. Then: kodus deploy ${target.name} --image sha256:…`,
    },
  )
}
