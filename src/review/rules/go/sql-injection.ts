import type { SgNode } from '@ast-grep/napi'
import { shortText } from '../go-shapes.ts'
import { descend, type Rule, type Shape } from '../rule.ts'
import { SQL_BEGINS, SQL_ENDS_BEFORE_VALUE, SQL_LITERAL_BEFORE_VALUE, SQL_SAFE_NAME } from '../sql.ts'

const TEXT: Shape = { any: [{ kind: 'interpreted_string_literal' }, { kind: 'raw_string_literal' }] }

function isVariable(node: SgNode | undefined): boolean {
  if (!node?.is('identifier') && !node?.is('selector_expression')) return false
  return !SQL_SAFE_NAME.test(shortText(node, 100))
}

/** The arguments of Sprintf that stand for a value (`= %s`), as opposed to a table or a number. */
function formatted(call: SgNode): SgNode[] {
  const [format, ...values] = descend(call, 'arguments').flatMap((list) =>
    list.children().filter((part) => part.isNamed() && !part.is('comment')),
  )
  const text = format?.text() ?? ''
  const verbs = [...text.matchAll(/%[-+# 0]*\d*(?:\.\d+)?([a-zA-Z%])/g)].filter((verb) => verb[1] !== '%')
  return values.filter((value, index) => {
    const verb = verbs[index]
    return (
      verb &&
      /[sv]/.test(verb[1] ?? '') &&
      SQL_ENDS_BEFORE_VALUE.test(text.slice(0, verb.index).replaceAll('%%', '%')) &&
      isVariable(value)
    )
  })
}

export const sqlInjection: Rule = {
  id: 'go/sql-injection',
  languages: ['go'],
  severity: 'critical',
  what: 'A value is written into the text of an SQL statement.',
  why: "A value such as `' or 1=1 --` becomes part of the statement: it reads, changes or deletes rows that are not the caller's.",
  advice: 'Put a placeholder there (`$1`, `?`) and pass the value as a parameter of Query or Exec.',
  match: {
    rule: {
      any: [
        {
          kind: 'binary_expression',
          all: [
            { has: { field: 'left', ...TEXT, regex: SQL_LITERAL_BEFORE_VALUE } },
            { has: { field: 'operator', regex: '^\\+$' } },
          ],
        },
        {
          kind: 'call_expression',
          all: [
            { has: { field: 'function', regex: '^(fmt\\.)?Sprintf$' } },
            {
              has: {
                field: 'arguments',
                has: {
                  ...TEXT,
                  has: {
                    any: [
                      { kind: 'interpreted_string_literal_content' },
                      { kind: 'raw_string_literal_content' },
                    ],
                    regex: SQL_BEGINS,
                  },
                },
              },
            },
          ],
        },
      ],
    },
  },
  at: (match) =>
    match.is('call_expression') ? formatted(match) : descend(match, 'right').filter(isVariable),
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nfunc find(name string) {\n\tdb.Query("select * from users where name = \'" + name + "\'")\n}\n',
      'package a\n\nfunc find(name string) {\n\tdb.Query(fmt.Sprintf("select * from users where name = \'%s\' and open", name))\n}\n',
      "package a\n\nfunc find(r *Request) {\n\tquery := fmt.Sprintf(`\n\t\tdelete from %s\n\t\twhere name like '%%%s%%'`, table, r.Name)\n\tdb.Exec(query)\n}\n",
    ],
    good: [
      'package a\n\nfunc find(name string) {\n\tdb.Query("select * from users where name = $1", name)\n}\n',
      'package a\n\nfunc find(id int) {\n\tdb.Query(fmt.Sprintf("select * from users where id = %d", id))\n}\n',
      'package a\n\nfunc find(table string) {\n\tdb.Query(fmt.Sprintf("select * from %s where id = ?", table), id)\n}\n',
      'package a\n\nfunc find(name string) {\n\tdb.Query(fmt.Sprintf("select * from users where name = %s", pq.QuoteLiteral(name)))\n}\n',
      'package a\n\nfunc say(name string) {\n\tlog.Print(fmt.Sprintf("updated user = %s", name))\n}\n',
    ],
  },
}
