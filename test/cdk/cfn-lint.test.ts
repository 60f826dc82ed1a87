import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { findPythonTool } from '../ecs-definitions/python-tool.ts'
import { COMBINATIONS, newDirectory, type RawTemplate, synthesise } from './synthesise.ts'

const { place, skip } = findPythonTool('cfn-lint', '1.58.0')

test('cfn-lint finds nothing in any template, and a planted mistake', { skip }, () => {
  const templates = COMBINATIONS.flatMap((context) => synthesise(context).templates)
  const found = lint(templates.map(({ file }) => file))
  assert.equal(found.status, 0, found.stdout + found.stderr)

  const planted = path.join(newDirectory(), 'planted.template.json')
  writeFileSync(planted, JSON.stringify(withMistake(templates)))
  assert.match(lint([planted]).stdout, /E3002|E3006|E3012|E3030/)
})

function lint(files: string[]) {
  // W3010 wants zones that AWS chooses: they are named on purpose (infra/cdk/settings/settings.ts).
  const options = ['--regions', 'us-east-1', '--ignore-checks', 'W3010']
  return spawnSync('python3', [path.join(place, 'bin', 'cfn-lint'), ...options, '--', ...files], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: place },
  })
}

function withMistake(templates: RawTemplate[]) {
  const services = templates.find(({ file }) => file.endsWith('ec2.template.json'))
  const { file: _, ...mutant } = structuredClone(services) ?? { Resources: {} }
  for (const { Type, Properties } of Object.values(mutant.Resources)) {
    if (Type === 'AWS::ECS::Service') Properties.SchedulingStrategy = 'SOMETIMES'
  }
  return mutant
}
