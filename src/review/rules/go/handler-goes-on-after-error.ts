import type { SgNode } from '@ast-grep/napi'
import { calledName, callOf, shortText, statementsOf, statementsOfBlock } from '../go-shapes.ts'
import { descend, type Rule } from '../rule.ts'

const FAILURE = /^\((http\.Status(Bad|Internal|Not|Unauthorized|Forbidden|Conflict|Unprocessable)|[45]\d\d\b)/

function repliesWithError(call: SgNode | undefined): boolean {
  const name = calledName(call)
  if (name === 'http.Error') return true
  if (!/^(c|ctx)\.(JSON|String|AbortWithStatus|AbortWithStatusJSON|AbortWithError)$/.test(name)) return false
  return descend(call as SgNode, 'arguments').some((list) => FAILURE.test(shortText(list, 2000)))
}

/** The error reply at the end of an `if` after which the function goes on. */
function replyThatGoesOn(statement: SgNode, next: SgNode | undefined): SgNode[] {
  if (!statement.is('if_statement') || statement.field('alternative')) return []
  if (!next || /^(return|continue|break|goto)_statement$/.test(String(next.kind()))) return []
  const last = descend(statement, 'consequence').flatMap(statementsOfBlock).at(-1)
  return last?.is('expression_statement') && repliesWithError(callOf(last)) ? [last] : []
}

export const handlerGoesOnAfterError: Rule = {
  id: 'go/handler-goes-on-after-error',
  languages: ['go'],
  severity: 'high',
  what: 'After this error reply the handler goes on, as if there had been no error.',
  why: 'A reply does not end the function: what the check was to prevent still happens, and a second reply is appended to the first.',
  advice: 'Add `return` after it.',
  match: { rule: { kind: 'statement_list' } },
  fileHas: { rule: { kind: 'interpreted_string_literal', regex: '^"net/http"$' } },
  at: (match) => {
    const statements = statementsOf(match)
    return statements.flatMap((statement, index) => replyThatGoesOn(statement, statements[index + 1]))
  },
  examples: {
    bad: [
      'package a\n\nimport "net/http"\n\nfunc remove(w http.ResponseWriter, r *http.Request) {\n\tif !mayRemove(r) {\n\t\thttp.Error(w, "forbidden", http.StatusForbidden)\n\t}\n\tstore.Remove(r.URL.Path)\n}\n',
      'package a\n\nimport "net/http"\n\nfunc create(c *gin.Context) {\n\tif err := c.BindJSON(&order); err != nil {\n\t\tc.JSON(http.StatusBadRequest, gin.H{"error": err.Error()})\n\t}\n\tstore.Create(order)\n}\n',
    ],
    good: [
      'package a\n\nimport "net/http"\n\nfunc remove(w http.ResponseWriter, r *http.Request) {\n\tif !mayRemove(r) {\n\t\thttp.Error(w, "forbidden", http.StatusForbidden)\n\t\treturn\n\t}\n\tstore.Remove(r.URL.Path)\n}\n',
      'package a\n\nimport "net/http"\n\nfunc show(w http.ResponseWriter, r *http.Request) {\n\tif err := render(w); err != nil {\n\t\thttp.Error(w, err.Error(), 500)\n\t}\n}\n',
      'package a\n\nimport "net/http"\n\nfunc show(c *gin.Context) {\n\tif cached {\n\t\tc.JSON(http.StatusOK, page)\n\t}\n\tcount()\n}\n',
    ],
  },
}
