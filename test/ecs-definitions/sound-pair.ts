import assert from 'node:assert/strict'
import type {
  ContainerDefinition,
  Launch,
  ServiceDefinition,
  TaskDefinition,
} from '../../infra/ecs/shapes.ts'
import { allDocuments } from '../../infra/ecs/written-files.ts'
import type { ComponentType } from '../../src/components.ts'

export type Mutable<T> = {
  -readonly [key in keyof T]: T[key] extends object | undefined ? Mutable<T[key]> : T[key]
}

export interface Pair {
  task: Mutable<TaskDefinition>
  container: Mutable<ContainerDefinition>
  service: Mutable<ServiceDefinition>
}

/** What is changed in a sound definition, and the sentence that has to be said of it. */
export interface Mutant {
  of: [ComponentType, Launch]
  says: RegExp
  change(pair: Pair): void
}

/** The written documents of a component, to be changed. */
export function soundPair(type: ComponentType, launch: Launch): Pair {
  const documents = allDocuments().find((each) => each.type === type && each.launch === launch)
  assert.ok(documents)
  const { taskDefinition, service } = structuredClone(documents) as Mutable<typeof documents>
  const [container] = taskDefinition.containerDefinitions
  assert.ok(container)
  return { task: taskDefinition, container, service }
}
