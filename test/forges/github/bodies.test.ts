import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { InlineComment } from '../../../src/forges/forge.ts'
import { commentBody, markedBody, reviewBody } from '../../../src/forges/github/bodies.ts'

const MARKER = '<!-- marker -->'
const LIMIT = 65_536

function comment(overrides: Partial<InlineComment> = {}): InlineComment {
  return {
    id: 'f',
    path: 'a.ts',
    line: 1,
    endLine: 1,
    severity: 'high',
    title: 't',
    body: 'Body.',
    ...overrides,
  }
}

describe('a text of any length', () => {
  test('keeps its marker and says that it was cut', () => {
    const body = markedBody(MARKER, `${'A line.\n'.repeat(10_000)}`)
    assert.ok(body.length <= LIMIT && body.length > LIMIT - 100)
    assert.match(body, /^<!-- marker -->\n\*This is longer than GitHub allows/)
    assert.ok(body.endsWith('A line.'), 'no half line')
  })

  test('is cut at no half character', () => {
    for (const lead of ['', 'x']) {
      const body = markedBody(MARKER, lead + '😀'.repeat(40_000))
      assert.ok(body.length <= LIMIT && body.isWellFormed())
    }
  })

  test('is left as it is where it fits', () => {
    const text = 'x'.repeat(LIMIT - MARKER.length - 1)
    assert.equal(markedBody(MARKER, text), `${MARKER}\n${text}`)
  })
})

describe('a suggestion', () => {
  test('is fenced by more backticks than it has', () => {
    const body = commentBody(MARKER, comment({ replacement: 'a\n````\nb' }), true)
    assert.equal(body, `${MARKER}\nBody.\n\n\`\`\`\`\`suggestion\na\n\`\`\`\`\nb\n\`\`\`\`\``)
  })

  test('of nothing has no line, so that it deletes', () => {
    assert.ok(commentBody(MARKER, comment({ replacement: '' }), true).endsWith('```suggestion\n```'))
  })

  test('is plain code where applying it would replace other lines', () => {
    assert.ok(commentBody(MARKER, comment({ replacement: 'b' }), false).endsWith('```\nb\n```'))
  })

  test('is left out rather than cut: half of one could be applied', () => {
    const body = commentBody(MARKER, comment({ replacement: 'x\n'.repeat(40_000) }), true)
    assert.equal(body, `${MARKER}\nBody.`)
  })
})

test('what has no line in the diff stands in the review, with path and line', () => {
  const review = { body: 'Two findings.', unplacedHeading: '### Elsewhere' }
  const unplaced = [comment({ path: 'a`b\n--> @mona.ts', line: 3, endLine: 5 }), comment()]
  assert.equal(
    reviewBody(MARKER, review, unplaced),
    `${MARKER}\nTwo findings.\n\n### Elsewhere\n\n\`\` a\`b --> @mona.ts:3-5 \`\`\n\nBody.\n\n\` a.ts:1 \`\n\nBody.`,
  )
  assert.equal(reviewBody(MARKER, review, []), `${MARKER}\nTwo findings.`)
})
