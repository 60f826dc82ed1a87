import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { problemsOf } from '../../infra/ecs/check-definition.ts'
import { allDocuments } from '../../infra/ecs/written-files.ts'
import { SERVICE_MUTANTS } from './service-mutants.ts'
import { soundPair } from './sound-pair.ts'
import { TASK_MUTANTS } from './task-mutants.ts'

test('what is written has no problem', () => {
  const documents = allDocuments()
  assert.equal(documents.length, 6)
  const problems = documents.flatMap(({ taskDefinition, service }) => problemsOf(taskDefinition, service))
  assert.deepEqual(problems, [])
})

describe('is found in a definition that was sound before:', () => {
  for (const [name, { of, says, change }] of Object.entries({ ...TASK_MUTANTS, ...SERVICE_MUTANTS })) {
    test(name, () => {
      const pair = soundPair(...of)
      change(pair)
      const problems = problemsOf(pair.task, pair.service)
      assert.ok(
        problems.some((problem) => says.test(problem)),
        problems.join('\n') || 'no problem was found',
      )
    })
  }
})
