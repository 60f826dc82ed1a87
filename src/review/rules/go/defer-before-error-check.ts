import type { SgNode } from '@ast-grep/napi'
import { assigned, calledName, callOf, statementsOf } from '../go-shapes.ts'
import type { Rule } from '../rule.ts'

/** Calls whose result can be closed also when it is nil: a nil *os.File only says that it is invalid. */
const CLOSES_NIL = /^os\./

function isPremature(statement: SgNode, before: SgNode | undefined): boolean {
  if (!statement.is('defer_statement') || !before) return false
  const { names = [], values = [] } = assigned(before) ?? {}
  const [opened, error] = names
  if (names.length !== 2 || !/^\w*[eE]rr$/.test(error ?? '') || !values[0]?.is('call_expression'))
    return false
  const closed = calledName(callOf(statement))
  return (
    (closed === `${opened}.Close` || closed === `${opened}.Body.Close`) &&
    !CLOSES_NIL.test(calledName(values[0]))
  )
}

export const deferBeforeErrorCheck: Rule = {
  id: 'go/defer-before-error-check',
  languages: ['go'],
  severity: 'high',
  what: 'The closing is deferred before it is known whether there is anything to close.',
  why: 'On an error the value is nil: the deferred call panics and hides the error that caused it.',
  advice: 'Check the error first, then defer.',
  match: { rule: { kind: 'statement_list' } },
  at: (match) => {
    const statements = statementsOf(match)
    return statements.filter((statement, index) => isPremature(statement, statements[index - 1]))
  },
  examples: {
    bad: [
      'package a\n\nfunc load(url string) error {\n\tresp, err := http.Get(url)\n\tdefer resp.Body.Close()\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn read(resp.Body)\n}\n',
      'package a\n\nfunc load(db *sql.DB) error {\n\trows, err := db.Query(statement)\n\tdefer rows.Close()\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn scan(rows)\n}\n',
    ],
    good: [
      'package a\n\nfunc load(url string) error {\n\tresp, err := http.Get(url)\n\tif err != nil {\n\t\treturn err\n\t}\n\tdefer resp.Body.Close()\n\treturn read(resp.Body)\n}\n',
      'package a\n\nfunc load(path string) error {\n\tfile, err := os.Open(path)\n\tdefer file.Close()\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn read(file)\n}\n',
    ],
  },
}
