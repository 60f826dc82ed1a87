import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { COMPONENTS, type ComponentFacts } from '../../src/components.ts'

/** The instructions of each target, one a line. */
const text = readFileSync('infra/docker/Dockerfile', 'utf8')
const stages = new Map(
  text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split(/^FROM /m)
    .slice(1)
    .map((stage) => [/^\S+ AS (\S+)/.exec(stage)?.[1] ?? '', stage] as const),
)

for (const component of Object.values<ComponentFacts>(COMPONENTS)) {
  const { name, http, stop, nodeOptions } = component
  const stage = stages.get(name) ?? ''
  const variables = new Map(
    [...stage.matchAll(/^ENV (.+)$/gm)].flatMap(([, line = '']) =>
      [...line.matchAll(/(\w+)=(?:"([^"]*)"|(\S+))/g)].map(
        ([, variable = '', quoted, bare]) => [variable, quoted ?? bare] as const,
      ),
    ),
  )

  test(`the image of ${name} has the facts of the table of components`, () => {
    const port = http && String(http.port)
    if (http) assert.equal(variables.get(http.variable), port)
    assert.equal(/^EXPOSE (\d+)$/m.exec(stage)?.[1], port)
    assert.ok(stop.variable)
    assert.equal(variables.get(stop.variable), String(stop.goesOnSeconds))
    assert.ok(stop.goesOnSeconds < stop.grantedSeconds)
    assert.equal(variables.get('NODE_OPTIONS') ?? '', nodeOptions.join(' '))
    const asked = http ? ['http', http.variable] : ['file', 'WORKER_HEALTH_FILE']
    assert.ok(
      stage.includes(`CMD ${JSON.stringify(['node', 'health.mjs', ...asked]).replaceAll(',', ', ')}`),
      stage,
    )
    assert.ok(variables.has(asked[1] ?? ''))
  })

  test(`the image of ${name} is built on a base of its own, and does not run as root`, () => {
    assert.ok(stage.startsWith(`${name}-base AS ${name}\n`))
    assert.match(stage, /^USER [1-9]\d*:[1-9]\d*\n*$/m)
  })
}

test('building needs no frontend of the Dockerfile from a registry', () => {
  assert.doesNotMatch(text, /^#\s*syntax/m)
})
