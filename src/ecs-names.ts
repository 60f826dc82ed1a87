import { COMPONENTS, type ComponentType } from './components.ts'

/** An installation: each has a cluster, stores and secrets of its own. */
export type EnvironmentName = 'staging' | 'production'

/** The cluster that all three services run in. */
export const CLUSTER = 'kodus-cluster'

/** What belongs to one component in AWS is called by these names everywhere: CDK, written files, command line. */
export function namesOf(type: ComponentType) {
  const { name } = COMPONENTS[type]
  return {
    container: name,
    family: `kodus-${name}`,
    service: `kodus-${name}-service`,
    logGroup: `/ecs/kodus-${name}`,
    repository: `kodus-ai/${name}`,
    loadBalancer: `${name}-alb`,
    executionRole: `kodus-${name}-execution`,
    taskRole: `kodus-${name}-task`,
  }
}

/** The SSM parameter with the image (repository@sha256:…) that was deployed last. */
export function imageParameter(environment: EnvironmentName, type: ComponentType): string {
  return `/kodus/${environment}/${COMPONENTS[type].name}/image`
}

/** The secret in Secrets Manager that a variable is read from: one each, so that a role can be given some and not others. */
export function secretName(environment: EnvironmentName, variable: string): string {
  return `kodus/${environment}/${variable}`
}
