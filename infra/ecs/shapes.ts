/**
 * The part we use of what ECS is told: RegisterTaskDefinition and CreateService, by their API's names. Properties of
 * CloudFormation are called the same, except for the two that `serviceProperties` renames. Arrays are not
 * readonly, because CDK's are not.
 */

/** Where tasks run: container instances of ours, or AWS's. */
export type Launch = 'ec2' | 'fargate'

export interface NameAndValue {
  readonly name: string
  readonly value: string
}

export interface ContainerDefinition {
  readonly name: string
  readonly image: string
  readonly essential: boolean
  readonly cpu: number
  /** MiB, hard limit. */
  readonly memory: number
  readonly user: string
  readonly readonlyRootFilesystem: boolean
  readonly dockerSecurityOptions?: string[]
  readonly linuxParameters: {
    readonly capabilities: { readonly drop: string[] }
    readonly tmpfs: {
      readonly containerPath: string
      readonly size: number
      readonly mountOptions: string[]
    }[]
  }
  readonly ulimits: { readonly name: string; readonly softLimit: number; readonly hardLimit: number }[]
  readonly portMappings: {
    readonly containerPort: number
    readonly hostPort?: number
    readonly protocol: string
  }[]
  readonly mountPoints: {
    readonly sourceVolume: string
    readonly containerPath: string
    readonly readOnly: boolean
  }[]
  readonly environment: NameAndValue[]
  readonly secrets: { readonly name: string; readonly valueFrom: string }[]
  /** Seconds. */
  readonly healthCheck?: {
    readonly command: string[]
    readonly interval: number
    readonly timeout: number
    readonly retries: number
    readonly startPeriod: number
  }
  /** Seconds. */
  readonly stopTimeout: number
  readonly logConfiguration?: { readonly logDriver: string; readonly options: Record<string, string> }
}

export interface Volume {
  readonly name: string
  readonly dockerVolumeConfiguration?: {
    readonly scope: string
    readonly autoprovision: boolean
    readonly driver: string
  }
}

export interface TaskDefinition {
  readonly family: string
  readonly requiresCompatibilities: string[]
  readonly networkMode: string
  /** CPU units and MiB of the whole task; on EC2 those of the container count. */
  readonly cpu?: string
  readonly memory?: string
  readonly runtimePlatform: { readonly cpuArchitecture: string; readonly operatingSystemFamily: string }
  readonly executionRoleArn: string
  readonly taskRoleArn: string
  readonly containerDefinitions: ContainerDefinition[]
  readonly volumes: Volume[]
  readonly tags: { readonly key: string; readonly value: string }[]
}

export interface ServiceDefinition {
  readonly cluster: string
  readonly serviceName: string
  readonly taskDefinition: string
  readonly desiredCount: number
  readonly schedulingStrategy: string
  readonly launchType?: string
  readonly capacityProviderStrategy?: {
    readonly capacityProvider: string
    readonly base?: number
    readonly weight: number
  }[]
  readonly platformVersion?: string
  readonly networkConfiguration?: {
    readonly awsvpcConfiguration: {
      readonly subnets: string[]
      readonly securityGroups: string[]
      readonly assignPublicIp: string
    }
  }
  readonly loadBalancers?: {
    readonly targetGroupArn: string
    readonly containerName: string
    readonly containerPort: number
  }[]
  /** Seconds. */
  readonly healthCheckGracePeriodSeconds?: number
  readonly placementStrategy?: { readonly type: string; readonly field: string }[]
  readonly availabilityZoneRebalancing: string
  readonly deploymentController: { readonly type: string }
  readonly deploymentConfiguration: {
    readonly minimumHealthyPercent: number
    readonly maximumPercent: number
    readonly deploymentCircuitBreaker: { readonly enable: boolean; readonly rollback: boolean }
    readonly alarms?: { readonly alarmNames: string[]; readonly enable: boolean; readonly rollback: boolean }
  }
  readonly propagateTags: string
  readonly enableECSManagedTags: boolean
  readonly enableExecuteCommand: boolean
}
