// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the hostile files are source text.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { Finding } from '../../src/review/review.ts'
import { RULES } from '../../src/review/rules/index.ts'
import { parseAs } from '../../src/review/rules/languages.ts'
import type { Language, Rule } from '../../src/review/rules/rule.ts'
import { analysedByRules, reasonNotToAnalyse, runRules } from '../../src/review/rules/run-rules.ts'
import { textLines } from '../../src/review/rules/text-lines.ts'

const EXTENSION: Record<Language, string> = {
  typescript: 'ts',
  tsx: 'tsx',
  javascript: 'js',
  python: 'py',
  go: 'go',
  java: 'java',
}
const HERE = new URL('../../src/review/rules/', import.meta.url)

function everyLine(text: string): Set<number> {
  return new Set(text.split('\n').map((_, index) => index + 1))
}

function review(
  text: string,
  language: Language,
  touched: ReadonlySet<number> = everyLine(text),
): Promise<Finding[]> {
  return runRules({ path: `src/example.${EXTENSION[language]}`, text, touched })
}

function only(findings: readonly Finding[]): Finding {
  assert.equal(findings.length, 1, JSON.stringify(findings, undefined, 2))
  return findings[0] as Finding
}

function withReplacement(text: string, finding: Finding): string {
  const lines = textLines(text)
  return (
    text.slice(0, lines.start(finding.line)) + finding.replacement + text.slice(lines.end(finding.endLine))
  )
}

function parses(text: string, language: Language): boolean {
  return !parseAs(language, text).find({ rule: { any: [{ kind: 'ERROR' }] } })
}

const firstLine = (text: string): string => JSON.stringify(text.trim().split('\n').at(0)?.trim() ?? '')

for (const rule of RULES) {
  describe(rule.id, () => {
    for (const language of rule.languages) examplesAreJudgedRightly(rule, language)
  })
}

function examplesAreJudgedRightly(rule: Rule, language: Language): void {
  for (const [index, text] of rule.examples.bad.entries()) {
    const name = `bad example ${index + 1}, ${firstLine(text)}, in ${language}`
    test(`${name} is found, and nothing else in it`, async () => {
      const finding = only(await review(text, language))
      assert.equal(finding.rule, rule.id)
      assert.equal(finding.severity, rule.severity)
      assert.ok(finding.endLine - finding.line < 10)
    })
    if (!rule.fix) continue
    test(`${name} is gone once its fix is applied, and still parses`, async () => {
      const finding = only(await review(text, language))
      assert.notEqual(finding.replacement, undefined)
      const fixed = withReplacement(text, finding)
      assert.notEqual(fixed, text)
      assert.deepEqual(await review(fixed, language), [])
      assert.ok(parses(fixed, language), fixed)
    })
  }
  for (const [index, text] of rule.examples.good.entries()) {
    test(`good example ${index + 1}, ${firstLine(text)}, in ${language} is left alone`, async () => {
      assert.deepEqual(await review(text, language), [])
    })
  }
  test(`all examples are ${language} that parses`, async () => {
    const broken = [...rule.examples.bad, ...rule.examples.good].filter((text) => !parses(text, language))
    assert.deepEqual(broken, [])
  })
}

describe('the list of rules', () => {
  test('has every file of the rules directories, each under the id that its path says', async () => {
    const files = ['go', 'java', 'python', 'typescript'].flatMap((directory) =>
      readdirSync(new URL(directory, HERE)).map((file) => `${directory}/${file.replace(/\.ts$/, '')}`),
    )
    assert.deepEqual(RULES.map((rule) => rule.id).sort(), files.sort())
  })

  test('has no id twice', async () => {
    assert.equal(new Set(RULES.map((rule) => rule.id)).size, RULES.length)
  })

  test('gives each rule both kinds of examples, a reason and advice', async () => {
    for (const rule of RULES) {
      assert.ok(rule.examples.bad.length > 0 && rule.examples.good.length > 0, rule.id)
      for (const sentence of [rule.what, rule.why, rule.advice]) assert.match(sentence, /[.)`]$/, rule.id)
      assert.ok(!rule.what.includes('\n'), rule.id)
    }
  })
})

describe('only what the change touched is reported', () => {
  const text = 'orders.forEach(async (order) => {\n  const total = sum(order)\n  await charge(total)\n})\n'

  test('a line inside the callback does not bring up the head of the loop', async () => {
    assert.deepEqual(await review(text, 'typescript', new Set([2, 3, 4])), [])
  })

  test('the head of the loop does', async () => {
    const finding = only(await review(text, 'typescript', new Set([1])))
    assert.deepEqual([finding.line, finding.endLine], [1, 1])
  })

  test('a body under a bare except does not bring up the except', async () => {
    const handler = 'try:\n    a()\nexcept:\n    b()\n    c()\n'
    assert.deepEqual(await review(handler, 'python', new Set([1, 2, 4, 5])), [])
    assert.equal(only(await review(handler, 'python', new Set([3]))).line, 3)
  })

  test('the untouched line of a long statement is not reported for a touched neighbour', async () => {
    const sql = 'db.query(`\n  select a,\n  b\n  from t\n  where id = ${id}\n`)\n'
    assert.deepEqual(await review(sql, 'typescript', new Set([3])), [])
    assert.equal(only(await review(sql, 'typescript', new Set([5]))).line, 5)
  })

  test('nothing touched, or a language without rules, is nothing found', async () => {
    assert.deepEqual(await review(text, 'typescript', new Set()), [])
    assert.deepEqual(await runRules({ path: 'main.rb', text, touched: everyLine(text) }), [])
    assert.deepEqual(await runRules({ path: 'constructor', text, touched: everyLine(text) }), [])
    assert.deepEqual(await runRules({ path: 'a.constructor', text, touched: everyLine(text) }), [])
  })

  test('a mistake longer than ten lines is reported at its first line, and only for that', async () => {
    const long = `x = read(\n${'  a,\n'.repeat(10)}) === NaN\n`
    assert.deepEqual(await review(long, 'typescript', new Set([5])), [])
    const finding = only(await review(long, 'typescript', new Set([1, 5])))
    assert.deepEqual([finding.line, finding.endLine, finding.replacement], [1, 1, undefined])
  })

  test('two mistakes of one kind on a line are one finding, and its fix mends both', async () => {
    const twice = 'if (a === NaN || b !== NaN) stop()\n'
    const finding = only(await review(twice, 'typescript'))
    assert.equal(finding.replacement, 'if (Number.isNaN(a) || !Number.isNaN(b)) stop()')
  })

  test('nested mistakes on one line are reported without a fix', async () => {
    assert.equal(only(await review('x = (a === NaN) === NaN\n', 'typescript')).replacement, undefined)
  })
})

describe('in test code', () => {
  const text = 'const agent = new Agent({ rejectUnauthorized: false, hung: size === NaN })\n'
  const rulesAt = async (path: string): Promise<string[]> =>
    (await runRules({ path, text, touched: new Set([1]) })).map((finding) => finding.rule)

  for (const path of ['test/agent.ts', 'src/__tests__/agent.js', 'src/agent.test.ts', 'lib/agent-spec.js']) {
    test(`what is dangerous only in production is not reported (${path})`, async () => {
      assert.deepEqual(await rulesAt(path), ['typescript/nan-comparison'])
    })
  }
  const off = 'package a\n\nvar t = http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}\n'
  const verifier =
    'class Any {\n  public boolean verify(String host, SSLSession session) {\n    return true;\n  }\n}\n'
  const found = async (path: string, source: string): Promise<number> =>
    (await runRules({ path, text: source, touched: everyLine(source) })).length

  for (const path of ['server/tls_test.go', 'server/testdata/a.go', 'e2e/tls.go']) {
    test(`nor in tests of Go (${path})`, async () => assert.equal(await found(path, off), 0))
  }
  for (const path of ['server/tls.go', 'server/latest.go', 'contest/tls.go', 'server/tls_test_helper.go']) {
    test(`but elsewhere in Go it is (${path})`, async () => assert.equal(await found(path, off), 1))
  }
  for (const path of [
    'src/test/java/org/acme/Any.java',
    'core/AnyTest.java',
    'core/AnyTests.java',
    'core/TestAny.java',
    'core/AnyIT.java',
  ]) {
    test(`nor in tests of Java (${path})`, async () => assert.equal(await found(path, verifier), 0))
  }
  for (const path of [
    'src/main/java/org/acme/Any.java',
    'core/Latest.java',
    'core/Testimony.java',
    'core/EMIT.java',
  ]) {
    test(`but elsewhere in Java it is (${path})`, async () => assert.equal(await found(path, verifier), 1))
  }

  for (const path of ['src/agent.ts', 'src/latest/agent.ts', 'src/contest.ts']) {
    test(`and elsewhere it is (${path})`, async () => {
      const both = ['typescript/nan-comparison', 'typescript/tls-verification-off']
      assert.deepEqual(await rulesAt(path), both)
    })
  }
})

describe('the id of a finding', () => {
  const line = 'if (amount === NaN) stop()'
  const idIn = async (text: string): Promise<string> => only(await review(text, 'typescript')).id

  test('is 16 hexadecimal digits', async () => assert.match(await idIn(line), /^[0-9a-f]{16}$/))

  test('stays when the line moves, is indented anew, or gets Windows line breaks', async () => {
    assert.equal(await idIn(`import a from 'a'\n\n{\n    ${line}\n}\n`), await idIn(line))
    assert.equal(await idIn(`// a\r\n${line}\r\n`), await idIn(line))
  })

  test('differs for another path, and for other text', async () => {
    const elsewhere = await runRules({ path: 'src/other.ts', text: line, touched: new Set([1]) })
    assert.notEqual(only(elsewhere).id, await idIn(line))
    assert.notEqual(await idIn(line.replace('amount', 'total')), await idIn(line))
  })

  test('differs between lines of a file that are equal but for their indentation', async () => {
    const both = await review(`${line}\n{\n  ${line}\n}\n`, 'typescript')
    assert.equal(new Set(both.map((finding) => finding.id)).size, 2)
  })

  test('differs between equal lines of a file, and does not depend on which of them were touched', async () => {
    const both = await review(`${line}\n${line}\n`, 'typescript')
    assert.equal(new Set(both.map((finding) => finding.id)).size, 2)
    assert.equal(only(await review(`${line}\n${line}\n`, 'typescript', new Set([2]))).id, both[1]?.id)
  })
})

describe('a replacement', () => {
  test('keeps indentation and everything around the mistake on its lines', async () => {
    const finding = only(await review('{\n\t  if (a == NaN) { stop() } // why\n}\n', 'typescript'))
    assert.equal(finding.replacement, '\t  if (Number.isNaN(a)) { stop() } // why')
  })

  test('keeps CRLF within its lines and leaves the last line break to the file', async () => {
    const text = 'const bad =\r\n  read(\r\n    a,\r\n  ) === NaN\r\nnext()\r\n'
    const finding = only(await review(text, 'typescript'))
    assert.deepEqual([finding.line, finding.endLine], [2, 4])
    assert.equal(finding.replacement, '  Number.isNaN(read(\r\n    a,\r\n  ))')
    assert.equal(withReplacement(text, finding), `const bad =\r\n${finding.replacement}\r\nnext()\r\n`)
  })

  test('is right behind a byte order mark, emoji and lone surrogates', async () => {
    const text = '\uFEFFconst s = "\u{1F600}é\uD800", t = s === NaN // \uDC00\n'
    const { replacement } = only(await review(text, 'typescript'))
    assert.equal(replacement, '\uFEFFconst s = "\u{1F600}é\uD800", t = Number.isNaN(s) // \uDC00')
  })
})

describe('hostile files are analysed to the end', () => {
  const KIB = 1024
  const repeat = (piece: string, bytes = 64 * KIB): string => piece.repeat(Math.ceil(bytes / piece.length))
  const hostile: Record<string, string> = {
    'an empty file': '',
    'only NUL': '\0'.repeat(1000),
    'NUL inside code': 'x === NaN\0\0 || y\n',
    'only a byte order mark': '\uFEFF',
    'lone surrogates': 'const a = "\uD800" + \uDC00 === NaN\n',
    'mixed line breaks': 'a === NaN\rb === NaN\r\nc === NaN\n\u2028d === NaN\u0085',
    'one line of 1 MiB': repeat('a', KIB * KIB),
    'one line of 256 KiB of one mistake': repeat('x===NaN;', 256 * KIB),
    'brackets 2,000 deep': `${'['.repeat(2000)}${']'.repeat(2000)}`,
    'calls 2,000 deep': `${'f('.repeat(2000)}${')'.repeat(2000)}`,
    'brackets never closed': repeat('([{'),
    'blocks never closed': repeat('if(a){'),
    'a chain of calls': `x${repeat('.forEach(async y => y)')}`,
    'a chain of sorts': `x${repeat('.map(Number).sort()')}`,
    'nested async callbacks': repeat('a.forEach(async b=>{'),
    'a chain of comparisons': `a${repeat('\n=== NaN')}`,
    'nested comparisons': `${repeat('(')}a${repeat('=== NaN)\n')}`,
    'nested templates': repeat('`select a from b where c = ${d}${'),
    'one template with many holes': `\`select a from b where c ${repeat('= ${d} ')}\``,
    'one string of many pieces': `"select a from b where c ="${repeat('+ d')}`,
    'nested evals': repeat('eval('),
    'nested try and finally': repeat('try{}catch(e){}finally{return;'),
    'nested Python calls': repeat('os.system(f"{'),
    'nested lambdas': repeat('lambda:'),
    'nested Python conditions': Array.from({ length: 700 }, (_, depth) => `${' '.repeat(depth)}try:`).join(
      '\n',
    ),
    'many handlers': repeat('try:\n a\nexcept:\n b\n'),
    'many loops': repeat('for a in b:\n c.append(lambda: a)\n'),
  }
  for (const [name, text] of Object.entries(hostile)) {
    for (const language of ['typescript', 'python', 'go', 'java'] as const) {
      test(`${name}, read as ${language}`, { timeout: 60_000 }, async () => {
        for (const finding of await review(text, language)) {
          assert.ok(finding.line >= 1 && finding.endLine >= finding.line)
        }
      })
    }
  }

  test('what parses in a file that otherwise does not is still reviewed', async () => {
    assert.equal(only(await review('a +* b\nif (a === NaN) stop()\nconst = = {{{\n', 'typescript')).line, 2)
    assert.equal(only(await review('x = y is "a"\n\ndef (:\n', 'python')).rule, 'python/is-literal')
  })
})

describe('the time that all rules together take', () => {
  /** Within the limit of `reasonNotToAnalyse`. */
  const LENGTH = 250 * 1024
  /** Ten times what the slowest took on two slow cores. What walks from the root for each node took 36 s. */
  const BOUND_MS = 12_000

  /** The text put into itself behind its last bracket, some thousand levels deep. */
  function nested(text: string): string {
    const bracket = text.search(/[({[][^({[]*$/)
    const cut = bracket < 0 ? text.length : bracket + 1
    const times = Math.floor(LENGTH / text.length)
    return text.slice(0, cut).repeat(times) + text.slice(cut).repeat(times)
  }

  for (const rule of RULES) {
    test(`stays in bounds for the example of ${rule.id}, nested`, async () => {
      const text = nested(rule.examples.bad[0] as string)
      const language = rule.languages[0] as Language
      const start = performance.now()
      await review(text, language, new Set([1]))
      const took = performance.now() - start
      assert.ok(took < BOUND_MS, `${Math.round(took)} ms`)
    })
  }
})

describe('a file that the rules leave alone', () => {
  const mistake = 'x === NaN\n'
  const fileOf = (path: string, text: string) => ({ path, text, touched: new Set([1]) })

  test('is one longer than 256 Ki characters, and it is said', async () => {
    const long = fileOf('src/a.ts', mistake + ' '.repeat(256 * 1024 - mistake.length))
    assert.equal(reasonNotToAnalyse(long), undefined)
    assert.equal((await runRules(long)).length, 1)
    const longer = fileOf(long.path, `${long.text} `)
    assert.equal(reasonNotToAnalyse(longer), 'longer than 256 Ki characters')
    assert.deepEqual(await runRules(longer), [])
  })

  test('is one in a language without rules, of whatever length', async () => {
    assert.equal(reasonNotToAnalyse(fileOf('main.rb', ' '.repeat(1024 * 1024))), undefined)
    assert.deepEqual(
      ['a.ts', 'a.PY', 'main.go', 'A.java', 'main.rb', 'Makefile', 'a.constructor'].map(analysedByRules),
      [true, true, true, true, false, false, false],
    )
  })
})
