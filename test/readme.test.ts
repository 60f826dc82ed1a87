import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Variables } from '../src/lib/env.ts'

/** Every variable that a component or the CLI declares, with the components that read it. */
async function declaredVariables(): Promise<Map<string, { line: string }>> {
  const readers = new Map<string, Set<string>>()
  const all: Variables = {}
  for (const file of globSync('src/{config.ts,*/config.ts}').sort()) {
    const module = (await import(pathToFileURL(file).href)) as { variables?: Variables }
    const component = file.split('/')[1]?.replace('config.ts', 'npm run component') ?? ''
    for (const [name, variable] of Object.entries(module.variables ?? {})) {
      all[name] = variable
      readers.set(name, (readers.get(name) ?? new Set()).add(component))
    }
  }
  const names = Object.keys(all).sort()
  return new Map(
    names.map((name) => {
      const { describe = '', default: value } = all[name] ?? {}
      const by = [...(readers.get(name) ?? [])].sort().join(', ')
      return [name, { line: `| \`${name}\` | ${value ? `\`${value}\`` : ''} | ${by} | ${describe} |` }]
    }),
  )
}

const readme = readFileSync('README.md', 'utf8')

test("the README's table of environment variables is what the config modules declare", async () => {
  const table = /<!-- variables -->\n([\s\S]*?)<!-- \/variables -->/.exec(readme)?.[1] ?? ''
  const lines = [...(await declaredVariables()).values()].map(({ line }) => line)
  const expected = ['| variable | default | read by | |', '|---|---|---|---|', ...lines, ''].join('\n')
  assert.equal(table, expected, `Put this between the markers in README.md:\n\n${expected}`)
})

test('every command in the README is a script of package.json', () => {
  const scripts = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts)
  const commands = [...readme.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map((match) => match[1] ?? '')
  assert.ok(commands.length > 3)
  assert.deepEqual(
    commands.filter((command) => !scripts.includes(command)),
    [],
  )
})

test('every file the README names is there', () => {
  const named = [...readme.matchAll(/`((?:docs|src|examples)\/[\w./-]+|[A-Z]+\.md)`/g)].map(
    (match) => match[1] ?? '',
  )
  assert.ok(named.length > 2)
  assert.deepEqual(
    named.filter((file) => globSync(file).length === 0),
    [],
  )
})
