import type { SgNode } from '@ast-grep/napi'
import { assigned, calledName, FUNCTION, shortText, statementsIn } from '../go-shapes.ts'
import { descend, type Rule } from '../rule.ts'

/** Of a longer function it cannot be told. */
const MAX_FUNCTION = 65_536

function queried(statement: SgNode): string[] {
  const { names = [], values = [] } = assigned(statement) ?? {}
  const [rows] = names
  const isQuery =
    names.length === 2 &&
    values[0]?.is('call_expression') &&
    /\.Query(x|Context|xContext)?$/.test(calledName(values[0]))
  return isQuery && rows && /^\w+$/.test(rows) ? [rows] : []
}

/** The conditions of loops over rows of which nobody asks afterwards why they ended. */
function unchecked(declaration: SgNode): SgNode[] {
  const text = shortText(declaration, MAX_FUNCTION)
  const statements = descend(declaration, 'body').flatMap((body) => statementsIn(body))
  const rows = new Set(statements.flatMap(queried))
  if (rows.size === 0 || text === '') return []
  return statements
    .filter((statement) => statement.is('for_statement'))
    .flatMap((loop) => loop.children().filter((child) => child.is('call_expression')))
    .filter((condition) => {
      const [, name] = /^(\w+)\.Next$/.exec(calledName(condition)) ?? []
      return (
        name !== undefined &&
        rows.has(name) &&
        !text.includes(`${name}.Err()`) &&
        !text.includes(`return ${name}`)
      )
    })
}

export const uncheckedRowsError: Rule = {
  id: 'go/unchecked-rows-error',
  languages: ['go'],
  severity: 'high',
  what: 'Next is false at the end of the rows and also on an error, and nobody asks which.',
  why: 'When the connection breaks or the query times out half way, the rows read so far are taken for all of them.',
  advice: 'After the loop: `if err := rows.Err(); err != nil { return err }`.',
  match: { rule: FUNCTION },
  fileHas: {
    rule: {
      kind: 'interpreted_string_literal',
      regex: '^"(database/sql|github.com/(jmoiron/sqlx|jackc/pgx.*))"$',
    },
  },
  at: unchecked,
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nimport "database/sql"\n\nfunc names(db *sql.DB) ([]string, error) {\n\trows, err := db.Query("select name from users")\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\tdefer rows.Close()\n\tvar names []string\n\tfor rows.Next() {\n\t\tvar name string\n\t\tif err := rows.Scan(&name); err != nil {\n\t\t\treturn nil, err\n\t\t}\n\t\tnames = append(names, name)\n\t}\n\treturn names, nil\n}\n',
    ],
    good: [
      'package a\n\nimport "database/sql"\n\nfunc names(db *sql.DB) error {\n\trows, err := db.Query("select name from users")\n\tif err != nil {\n\t\treturn err\n\t}\n\tfor rows.Next() {\n\t\tread(rows)\n\t}\n\treturn rows.Err()\n}\n',
      'package a\n\nimport "database/sql"\n\nfunc read(rows *sql.Rows) {\n\tfor rows.Next() {\n\t\tscan(rows)\n\t}\n}\n',
    ],
  },
}
