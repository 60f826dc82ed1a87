// `node infra/ecs/fill-in.ts FILE`: prints a written document with the values of an account, each from the variable of its
// name, for `aws ecs register-task-definition --cli-input-json "$(…)"`.
import { readFileSync } from 'node:fs'
import { messageOf } from '../../src/lib/errors.ts'
import { fillIn } from './placeholders.ts'

const [file = ''] = process.argv.slice(2)
try {
  process.stdout.write(fillIn(readFileSync(file, 'utf8'), process.env))
} catch (error) {
  console.error(messageOf(error))
  process.exitCode = 1
}
