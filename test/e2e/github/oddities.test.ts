import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Files, githubDescription } from '../../github/server.ts'
import { checkOf, linesToRead, promptsOf, startStack, summaryOf } from './stack.ts'

const skip = await githubDescription()
const timeout = 240_000

const MISTAKE = 'paid = status is "paid"'
const MENDED = 'paid = status == "paid"'
const STRANGE_NAME = 'a "quoted" `name` für größte Mühe 你好.py'
const NUMBERED = Array.from({ length: 20 }, (_, index) => `line_${index} = ${index}`)

const BASE: Files = {
  'logo.png': Buffer.from([0x89, 0x50, 0, 1]),
  'old name.py': lines(NUMBERED),
  'windows.py': 'one = 1\r\ntwo = 2\r\n',
  'no-newline.py': 'one = 1',
  'link.py': { mode: '120000', content: 'windows.py' },
  'fewer.py': lines(NUMBERED),
  'gone.py': 'nobody = None\n',
  'vendor/lib': { submodule: '1'.repeat(40) },
}

const HEAD: Files = {
  'logo.png': Buffer.from([0x89, 0x50, 0, 2]),
  'old name.py': null,
  'new name.py': lines(NUMBERED.with(9, MISTAKE)),
  'windows.py': `one = 1\r\n${MISTAKE}\r\n`,
  'no-newline.py': `one = 1\n${MISTAKE}`,
  // What a link says is no code.
  'link.py': { mode: '120000', content: MISTAKE },
  'fewer.py': lines(NUMBERED.slice(5)),
  'gone.py': null,
  'vendor/lib': { submodule: '2'.repeat(40) },
  [STRANGE_NAME]: lines([MISTAKE]),
}

test('files that are not what most are', { skip, timeout }, async (t: TestContext) => {
  const { github, ...stack } = await startStack(t)
  const repository = github.createRepository('octo/odd', { files: BASE })
  repository.commit('feature', HEAD)
  const pull = repository.openPullRequest({ head: 'feature' })
  const prompts = await promptsOf({ github, ...stack }, () => {})
  const found = Object.fromEntries(
    pull.reviewComments().map(({ path, line, body }) => [`${path}:${line}`, body]),
  )

  await t.test('a renamed file is commented on at its new name', () => {
    assert.match(found['new name.py:10'], suggestion(MENDED))
    assert.match(prompts.join(), /^file: new name\.py \(renamed\)$/m)
  })

  await t.test(
    'a file with carriage returns is commented on, and no suggestion would change its line ends',
    () => {
      const body = found['windows.py:2']
      assert.ok(body.endsWith(`\n\`\`\`\n${MENDED}\n\`\`\``), body)
    },
  )

  await t.test('a file without a newline at its end is commented on in its last line', () => {
    assert.match(found['no-newline.py:2'], suggestion(MENDED))
  })

  await t.test('a name with quotes, backticks, spaces and other letters is told as it is', async () => {
    assert.match(found[`${STRANGE_NAME}:1`], suggestion(MENDED))
    assert.ok(summaryOf(pull).body.includes(`\`\`${STRANGE_NAME}:1\`\``))
    const { annotations } = await checkOf(pull)
    assert.ok(annotations.some(({ path }: { path: string }) => path === STRANGE_NAME))
  })

  await t.test('what is no text, and what only lost lines, is named with the reason', () => {
    const { body } = summaryOf(pull)
    for (const [path, reason] of [
      ['fewer.py, gone.py', 'its change only deletes lines'],
      ['link.py', 'a symlink file'],
      ['logo.png', 'a binary file'],
      ['vendor/lib', 'a submodule file'],
    ]) {
      assert.ok(body.includes(`\`${path}\`: not reviewed: ${reason}\n`), `${path}: ${body}`)
    }
    assert.equal(Object.keys(found).length, 4, 'and nothing is said about it')
    assert.match(body, /Read 4 of 9 files that the change touches/)
  })

  await t.test('the model is shown the new lines of the texts, and deleted ones beside them', () => {
    const shown = prompts.flatMap(linesToRead)
    assert.deepEqual(
      shown.filter((line) => line !== 'one = 1'),
      [MISTAKE, MISTAKE, MISTAKE, MISTAKE],
    )
    assert.match(prompts.join(), /^file: gone\.py \(deleted\)$/m)
  })
})

function lines(texts: string[]): string {
  return texts.map((text) => `${text}\n`).join('')
}

function suggestion(text: string): RegExp {
  return new RegExp(`\\n\`\`\`suggestion\\n${text}\\n\`\`\`$`)
}
