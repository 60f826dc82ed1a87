/** The services we talk to. Each is also the name that requests are signed for. */
export type AwsService = 'ecs' | 'ssm' | 'ecr'

/** All three speak AWS JSON 1.1, in which this and the operation's name are the header X-Amz-Target. */
export const TARGETS: Record<AwsService, string> = {
  ecs: 'AmazonEC2ContainerServiceV20141113',
  ssm: 'AmazonSSM',
  ecr: 'AmazonEC2ContainerRegistry_V20150921',
}

/** Where a service is in a region. */
export function publicAddress(service: AwsService, region: string): string {
  const host = service === 'ecr' ? 'api.ecr' : service
  return `https://${host}.${region}.${region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'}`
}
