import type { SgNode } from '@ast-grep/napi'
import { calledName, callOf, statementsIn } from '../go-shapes.ts'
import { descend, type Rule } from '../rule.ts'

function endsTest(statement: SgNode): boolean {
  return (
    statement.is('expression_statement') &&
    /^(t|tb|b)\.(Fatal|Fatalf|FailNow|Skip|Skipf|SkipNow)$/.test(calledName(callOf(statement)))
  )
}

export const fatalInGoroutine: Rule = {
  id: 'go/fatal-in-goroutine',
  languages: ['go'],
  severity: 'medium',
  what: 'Outside the goroutine of the test this ends only the goroutine, not the test.',
  why: 'The test goes on and may wait forever for what the goroutine was to do, or pass; after the end of the test it panics.',
  advice: 'Use `t.Error` and return, or send the error to the test over a channel.',
  match: {
    rule: {
      kind: 'go_statement',
      has: { kind: 'call_expression', has: { field: 'function', kind: 'func_literal' } },
    },
  },
  fileHas: { rule: { kind: 'interpreted_string_literal', regex: '^"testing"$' } },
  at: (match) =>
    match
      .children()
      .filter((child) => child.is('call_expression'))
      .flatMap((call) => descend(call, 'function', 'body'))
      .flatMap((body) => statementsIn(body))
      .filter(endsTest),
  examples: {
    bad: [
      'package a\n\nimport "testing"\n\nfunc TestServe(t *testing.T) {\n\tgo func() {\n\t\tif err := serve(); err != nil {\n\t\t\tt.Fatal(err)\n\t\t}\n\t}()\n\tcall()\n}\n',
    ],
    good: [
      'package a\n\nimport "testing"\n\nfunc TestServe(t *testing.T) {\n\tgo func() {\n\t\tif err := serve(); err != nil {\n\t\t\tt.Error(err)\n\t\t}\n\t}()\n\tcall()\n}\n',
      'package a\n\nimport "testing"\n\nfunc TestServe(t *testing.T) {\n\tif err := call(); err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n',
    ],
  },
}
