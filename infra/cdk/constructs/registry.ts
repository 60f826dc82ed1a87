import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import * as ecr from 'aws-cdk-lib/aws-ecr'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { COMPONENTS, type ComponentType } from '../../../src/components.ts'
import { namesOf } from '../../../src/ecs-names.ts'
import type { Settings } from '../settings/settings.ts'
import { LOG_RETENTION } from './log-retention.ts'

/** Images that are kept: more than a year of weekly deployments can be gone back to. */
const KEPT_IMAGES = 60

/** Where a component's image and its log are. Both outlive its service. */
export interface ComponentPlaces {
  readonly repository: ecr.IRepository
  readonly logGroup: logs.ILogGroup
}

/** A tag is given once and stays with its image; images are looked through for known holes when they are pushed. */
export function makePlaces(
  scope: Construct,
  type: ComponentType,
  { environment, imagesTo }: Pick<Settings, 'environment' | 'imagesTo'>,
): ComponentPlaces {
  const { name } = COMPONENTS[type]
  const names = namesOf(type)
  const repository = new ecr.Repository(scope, `${name}-images`, {
    repositoryName: names.repository,
    imageTagMutability: ecr.TagMutability.IMMUTABLE,
    imageScanOnPush: true,
    lifecycleRules: [
      { rulePriority: 1, tagStatus: ecr.TagStatus.UNTAGGED, maxImageAge: Duration.days(7) },
      { rulePriority: 2, tagStatus: ecr.TagStatus.ANY, maxImageCount: KEPT_IMAGES },
    ],
    removalPolicy: RemovalPolicy.RETAIN,
  })
  if (imagesTo) repository.grantPull(new iam.AccountPrincipal(imagesTo))
  return {
    repository,
    logGroup: new logs.LogGroup(scope, `${name}-log`, {
      logGroupName: names.logGroup,
      retention: LOG_RETENTION[environment],
      removalPolicy: RemovalPolicy.RETAIN,
    }),
  }
}
