import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeDeployment } from '../../src/cli/deploy/judge-deployment.ts'

const OURS = { id: 'ecs-svc/2', taskDefinition: 'kodus-worker:2', createdAt: 2 }
const counts = { desiredCount: 2, runningCount: 2, pendingCount: 0 }
const mine = { ...OURS, ...counts, status: 'PRIMARY', rolloutState: 'COMPLETED' } as const
const before = {
  ...mine,
  id: 'ecs-svc/1',
  taskDefinition: 'kodus-worker:1',
  createdAt: 1,
  status: 'ACTIVE',
} as const
const done = {
  serviceArn: 's',
  status: 'ACTIVE',
  ...counts,
  taskDefinition: OURS.taskDefinition,
  deployments: [mine],
  events: [],
}

test('a deployment is complete when all its tasks run, and none of another', () =>
  assert.equal(judgeDeployment(done, OURS).is, 'complete'))

for (const [what, service] of [
  ['a task of the one before is left', { ...done, deployments: [mine, before] }],
  ['a task of it is missing', { ...done, deployments: [{ ...mine, runningCount: 1 }] }],
  ['the service has more tasks than it should', { ...done, runningCount: 3 }],
  [
    'ECS does not call it completed',
    { ...done, deployments: [{ ...mine, rolloutState: 'IN_PROGRESS' as const }] },
  ],
] as const) {
  test(`it is under way while ${what}`, () =>
    assert.equal(
      judgeDeployment({ ...service, deployments: [...service.deployments] }, OURS).is,
      'under way',
    ))
}
