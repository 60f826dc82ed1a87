import type { SgNode } from '@ast-grep/napi'
import { callsMethod } from '../python-shapes.ts'
import { descend, type Rule, type Shape } from '../rule.ts'
import { SQL_BEGINS, SQL_ENDS_BEFORE_VALUE, SQL_LITERAL_BEFORE_VALUE, SQL_SAFE_NAME } from '../sql.ts'

/** A statement with `%s` or `{}` where a value belongs: behind a column that has a name. */
const TEMPLATE: Shape = {
  kind: 'string',
  all: [
    { regex: `(?is)^["']{1,3}(.*[^%\\w])?\\w+["'\\])]*\\s*(=|<|>|\\bi?like)\\s*['"]?((%%)*%s|%?\\{\\w*\\})` },
    { has: { kind: 'string_content', regex: SQL_BEGINS } },
  ],
}

function isVariable(node: SgNode | null): boolean {
  if (node?.is('identifier')) return !SQL_SAFE_NAME.test(node.text())
  if (!node?.is('attribute')) return node?.is('subscript') ?? false
  if (SQL_SAFE_NAME.test(node.field('attribute')?.text() ?? '')) return false
  const object = node.field('object')
  return !(object?.is('identifier') && /^[A-Z]/.test(object.text()))
}

/** The parts of the match that bring a value in. */
function inserted(match: SgNode): SgNode[] {
  if (!match.is('string')) {
    const operands = descend(match, match.is('call') ? 'arguments' : 'right')
    return operands.filter((node) => isVariable(node) || node.children().some(isVariable))
  }
  const parts = match.children()
  return parts.filter((part, index) => {
    if (!part.is('interpolation') || !isVariable(part.child(1))) return false
    const before = parts[index - 1]
    return before?.is('string_content') && SQL_ENDS_BEFORE_VALUE.test(before.text())
  })
}

export const sqlInjection: Rule = {
  id: 'python/sql-injection',
  languages: ['python'],
  severity: 'critical',
  what: 'A value is written into the text of an SQL statement.',
  why: "A value such as `' or 1=1 --` becomes part of the statement: it reads, changes or deletes rows that are not the caller's.",
  advice: 'Put a placeholder there (`%s`, `?`) and pass the value as a parameter of execute().',
  match: {
    rule: {
      any: [
        {
          kind: 'string',
          all: [{ has: { kind: 'string_content', regex: SQL_BEGINS } }, { has: { kind: 'interpolation' } }],
        },
        {
          kind: 'binary_operator',
          all: [
            { has: { field: 'operator', regex: '^\\+$' } },
            { has: { field: 'left', kind: 'string', regex: SQL_LITERAL_BEFORE_VALUE } },
          ],
        },
        {
          kind: 'binary_operator',
          all: [{ has: { field: 'operator', regex: '^%$' } }, { has: { field: 'left', ...TEMPLATE } }],
        },
        { kind: 'call', ...callsMethod('^format$', TEMPLATE) },
      ],
    },
  },
  at: inserted,
  notInTests: true,
  examples: {
    bad: [
      `cursor.execute(f"select * from orders where id = '{order_id}'")\n`,
      'query = f"""\n    delete from carts\n    where user_id = {user.id}\n"""\n',
      `cursor.execute("select * from orders where id = '%s'" % order_id)\n`,
      `cursor.execute("update orders set state = '{}'".format(state))\n`,
      `cursor.execute("select * from orders where name = '" + name + "'")\n`,
    ],
    good: [
      'cursor.execute("update %s set %s=%s" % (table, column, "to_char(%s)" % old_column))\n',
      'cursor.execute("select * from %s where %s = %%s" % (table, column), [value])\n',
      'cursor.execute("select * from orders where id = %s", (order_id,))\n',
      'cursor.execute(f"select * from {table} where id = %s", (order_id,))\n',
      'cursor.execute(f"select * from orders where id in ({placeholders})", ids)\n',
      'cursor.execute(f"select * from orders where state = {State.OPEN}")\n',
      'print(f"update of order = {order_id}")\n',
    ],
  },
}
