// Writes ec2/*.json and fargate/*.json beside this file: what `aws ecs register-task-definition` and `aws ecs
// create-service` take with --cli-input-json.
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { problemsOf } from './check-definition.ts'
import { allDocuments, writtenFiles } from './written-files.ts'

const problems = allDocuments().flatMap(({ taskDefinition, service }) => problemsOf(taskDefinition, service))
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)

for (const launch of ['ec2', 'fargate']) {
  mkdirSync(new URL(`${launch}/`, import.meta.url), { recursive: true })
}
for (const [name, text] of writtenFiles()) {
  const file = fileURLToPath(new URL(name, import.meta.url))
  writeFileSync(file, text)
  console.log(file)
}
