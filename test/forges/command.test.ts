import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand } from '../../src/forges/command.ts'

const COMMENTS: [comment: string, command: string | undefined][] = [
  ['@kody review', 'review'],
  ['@kody review --force', 'review --force'],
  ['  @Kody REVIEW\r\n', 'review'],
  ['Please:\n\n@kody, pause', 'pause'],
  ['@kody: resume.', 'resume'],
  ['@kody\tignore', 'ignore'],
  ['@kody help!', 'help'],
  ['@kody', 'help'],
  ['@kody review\n@kody pause', 'review'],
  // In passing, or with words that are no command: nothing may happen but help.
  ['@kody ignore the generated files', 'unknown'],
  ['@kody review is great', 'unknown'],
  ['@kody pause --force', 'unknown'],
  ['@kody review --force --force', 'unknown'],
  ['@kody dance', 'unknown'],
  ['@kody constructor', 'unknown'],
  // Addressed to nobody, or to somebody else.
  ['ask @kody review', undefined],
  ['> @kody review', undefined],
  ['- @kody review', undefined],
  ['    @kody review', undefined],
  ['`@kody review`', undefined],
  ['```\n@kody review\n```', undefined],
  ['~~~sh\n@kody review', undefined],
  ['```\ncode\n```\n@kody review', 'review'],
  ['```\n~~~\n@kody review\n```', undefined],
  ['````suggestion\n```\n@kody review --force\n````', undefined],
  ['```\n```ts\n@kody review', undefined],
  ['```ts\ncode\n````  \n@kody review', 'review'],
  ['```in a line```\n@kody review', 'review'],
  ['@kody-bot review', undefined],
  ['@kodyfan review', undefined],
  ['@kodus review', undefined],
  ['', undefined],
]

for (const [comment, expected] of COMMENTS) {
  test(`${JSON.stringify(comment)} means ${expected ?? 'nothing'}`, () => {
    const parsed = parseCommand(comment)
    assert.equal(parsed && `${parsed.command}${parsed.force ? ' --force' : ''}`, expected)
  })
}

test('a comment as long as GitHub allows is read in a moment', () => {
  const before = performance.now()
  for (const line of [
    `@kody${' '.repeat(65_000)}`,
    `@kody review ${'--force '.repeat(8_000)}`,
    '`'.repeat(65_000),
  ])
    parseCommand(line)
  assert.ok(performance.now() - before < 1_000)
})
