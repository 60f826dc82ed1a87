// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the examples are source text.
import type { SgNode } from '@ast-grep/napi'
import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'
import {
  SQL_BEGINNING,
  SQL_BEGINS,
  SQL_ENDS_BEFORE_VALUE,
  SQL_LITERAL_BEFORE_VALUE,
  SQL_SAFE_NAME,
} from '../sql.ts'
import { variablesIn } from '../typescript-shapes.ts'

function isStatement(template: SgNode): boolean {
  const text = template.child(1)
  return (
    template.is('template_string') && text?.is('string_fragment') === true && SQL_BEGINNING.test(text.text())
  )
}

/** The match is a concatenation, or has statements among its children, or both. */
function inserted(match: SgNode): SgNode[] {
  const concatenation = match.getMatch('LITERAL') ? [match] : []
  return [...concatenation, ...match.children().filter(isStatement)].flatMap((statement) =>
    variablesIn(statement, SQL_SAFE_NAME, SQL_ENDS_BEFORE_VALUE),
  )
}

export const sqlInjection: Rule = {
  id: 'typescript/sql-injection',
  languages: SCRIPT_LANGUAGES,
  severity: 'critical',
  what: 'A value is written into the text of an SQL statement.',
  why: "A value such as `' or 1=1 --` becomes part of the statement: it reads, changes or deletes rows that are not the caller's.",
  advice: 'Put a placeholder there (`$1`, `?`) and pass the value as a parameter of the query.',
  match: {
    rule: {
      any: [
        {
          kind: 'binary_expression',
          has: { field: 'left', kind: 'string', regex: SQL_LITERAL_BEFORE_VALUE, pattern: '$LITERAL' },
        },
        {
          // A tagged template (sql`…`) makes parameters of what is inserted: there the template is a call's child.
          not: { kind: 'call_expression' },
          has: {
            kind: 'template_string',
            all: [
              { has: { kind: 'string_fragment', regex: SQL_BEGINS } },
              { has: { kind: 'template_substitution' } },
            ],
          },
        },
      ],
    },
  },
  at: inserted,
  notInTests: true,
  examples: {
    bad: [
      "await db.query(`select * from orders where id = '${orderId}'`)\n",
      'const sql = `delete from carts where user_id = ${user.id} and open`\n',
      'db.query("update orders set state = \'" + req.body.state + "\' where id = 1")\n',
      "const sql = `\n  select id from orders\n  where state = 'open'\n    and name like '%${name}%'\n`\n",
    ],
    good: [
      "await db.query('select * from orders where id = $1', [orderId])\n",
      'const rows = await sql`select * from orders where id = ${orderId}`\n',
      'const rows = await Prisma.sql`select * from orders where id = ${orderId}`\n',
      'await db.query(`select ${COLUMNS} from orders where id = $1`, [orderId])\n',
      "await db.query(`select * from ${table} where state = '${State.Open}'`)\n",
      'await db.query(`select * from orders where id = ${placeholder}`, [orderId])\n',
      'await db.query(`select * from orders where id = ${db.escape(orderId)}`)\n',
      'log.info(`Selected order = ${orderId}`)\n',
    ],
  },
}
