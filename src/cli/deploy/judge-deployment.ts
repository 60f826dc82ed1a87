import { type Deployment, primaryOf, type Service, type ServiceDeployment } from './ecs.ts'

/** The deployment that is followed. */
export interface Followed {
  id: string
  taskDefinition: string
  createdAt: number
}

export type Standing =
  | { is: 'under way' }
  | { is: 'complete' }
  /** ECS gave it up and (as yet) put nothing else in its place. */
  | { is: 'failed'; reason?: string }
  | { is: 'rolled back'; to: Deployment | undefined; reason?: string }
  | { is: 'superseded'; by: Deployment }
  | { is: 'stopped'; reason?: string }
  /** Nothing is to run, so that nothing can be seen to work. */
  | { is: 'switched off' }
  | { is: 'gone' }

/**
 * What became of a deployment, by all that ECS says of it. "Complete" is said only when ours is the one that ECS works
 * towards, ECS calls it completed, all its tasks run, and none is left of another: after a rollback the service is as
 * stable as after a success.
 *
 * @param history what the service's history says of it, where that may be read
 */
export function judgeDeployment(
  service: Service | undefined,
  ours: Followed,
  history?: ServiceDeployment,
): Standing {
  if (service?.status !== 'ACTIVE') return { is: 'gone' }
  if (service.desiredCount === 0) return { is: 'switched off' }
  const primary = primaryOf(service)
  const mine = service.deployments.find(({ id }) => id === ours.id)
  const reason = reasonOf(history, mine)
  if (history?.status.startsWith('ROLLBACK_')) return { is: 'rolled back', to: other(primary, ours), reason }
  if (mine?.rolloutState === 'FAILED') {
    return primary && primary !== mine ? { is: 'rolled back', to: primary, reason } : { is: 'failed', reason }
  }
  // An answer from before our update: ECS does not promise that the next read sees the last write.
  if (!primary || primary.createdAt < ours.createdAt) return { is: 'under way' }
  if (primary !== mine) {
    const isRollback = /roll(ing|ed) back/i.test(primary.rolloutStateReason ?? '')
    return isRollback
      ? { is: 'rolled back', to: primary, reason: reason ?? primary.rolloutStateReason }
      : { is: 'superseded', by: primary }
  }
  if (history?.status === 'STOPPED') return { is: 'stopped', reason }
  return isComplete(service, mine, ours) ? { is: 'complete' } : { is: 'under way' }
}

function isComplete(service: Service, mine: Deployment, ours: Followed): boolean {
  return (
    mine.rolloutState === 'COMPLETED' &&
    mine.taskDefinition === ours.taskDefinition &&
    mine.runningCount === mine.desiredCount &&
    service.runningCount === service.desiredCount &&
    service.deployments.length === 1
  )
}

function other(primary: Deployment | undefined, ours: Followed): Deployment | undefined {
  return primary?.id === ours.id ? undefined : primary
}

/** ECS's own words, the most particular first. */
function reasonOf(history: ServiceDeployment | undefined, mine: Deployment | undefined): string | undefined {
  const alarms = history?.alarms?.triggeredAlarmNames ?? []
  const words = history?.rollback?.reason ?? history?.statusReason ?? mine?.rolloutStateReason
  return alarms.length > 0 ? `${words ?? 'alarm'} (${alarms.join(', ')})` : words
}
