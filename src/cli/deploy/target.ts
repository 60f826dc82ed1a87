import { COMPONENTS, type ComponentType } from '../../components.ts'
import { CLUSTER, type EnvironmentName, imageParameter, namesOf } from '../../ecs-names.ts'

export { CLUSTER, type EnvironmentName }

/** Which service of which installation, and all that belongs to it by name. */
export interface Target {
  component: ComponentType
  /** As people say it: `worker`. */
  name: string
  cluster: string
  environment: EnvironmentName
  service: string
  family: string
  container: string
  repository: string
  logGroup: string
  /** The SSM parameter with the image that was deployed last. */
  parameter: string
}

export function targetOf(component: ComponentType, cluster: string, environment: EnvironmentName): Target {
  const { service, family, container, repository, logGroup } = namesOf(component)
  const parameter = imageParameter(environment, component)
  const { name } = COMPONENTS[component]
  return {
    component,
    name,
    cluster,
    environment,
    service,
    family,
    container,
    repository,
    logGroup,
    parameter,
  }
}

/** The options that lead another command to the same service. */
export function optionsFor({ cluster, environment }: Target): string {
  return [
    ...(cluster === CLUSTER ? [] : ['--cluster', cluster]),
    ...(environment === 'production' ? [] : ['--env', environment]),
  ]
    .map((word) => ` ${word}`)
    .join('')
}
