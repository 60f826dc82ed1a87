import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { Command } from 'commander'
import { addSimulate } from '../../../src/cli/commands/simulate.ts'

test('kodus simulate draws the storm, writes its picture, and ends with a line of JSON', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-simulate-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const file = path.join(directory, 'storm.svg')
  const text = await output(t, 'storm', '--svg', file)
  assert.match(text, /ours +▁[▁-█ ]+ up to 50/)
  const figures = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')
  assert.equal(figures.trace, 'storm')
  assert.ok(
    figures.drain_ratio > 0 && figures.cost_ratio > 0 && figures.drain_ratio_bound <= figures.drain_ratio,
  )
  const svg = readFileSync(file, 'utf8')
  assert.ok(svg.startsWith('<svg ') && svg.trimEnd().endsWith('</svg>'))
  assert.equal(svg.match(/<path [^>]*d="M[\d.]+ [\d.]+L/g)?.length, 4 * 3, 'four panels of three policies')
  assert.doesNotMatch(svg, /NaN|undefined/)
})

test('docs/scaling.md quotes what the command prints', async (t) => {
  const printed = await output(t, '--markdown', '--inputs', '--vary')
  const [inputs, outcomes, variations] = printed.split('\n\n')
  const page = readFileSync('docs/scaling.md', 'utf8')
  for (const table of [inputs, outcomes, variations]) {
    assert.ok(table && page.includes(table), `not on the page as \`kodus simulate\` prints it:\n${table}`)
  }
})

test('a trace that there is not is refused, and those that there are are named', async (t) => {
  await assert.rejects(output(t, 'tempest'), {
    code: 'TRACE_UNKNOWN',
    help: /webhooks, reviews, storm, deploy/,
  })
})

async function output(t: TestContext, ...args: string[]): Promise<string> {
  const log = t.mock.method(console, 'log', () => {})
  const program = new Command('kodus').exitOverride()
  addSimulate(program)
  await program.parseAsync(['simulate', ...args], { from: 'user' })
  const text = log.mock.calls.map((call) => call.arguments.join(' ')).join('\n')
  log.mock.restore()
  return text
}
