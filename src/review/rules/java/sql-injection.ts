import type { SgNode } from '@ast-grep/napi'
import { argumentsOf, callsMethod, shortText } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'
import {
  SQL_BEGINS,
  SQL_QUOTED_BEFORE_VALUE,
  SQL_QUOTED_LITERAL_BEFORE_VALUE,
  SQL_SAFE_NAME,
} from '../sql.ts'

function isVariable(node: SgNode): boolean {
  if (node.is('method_invocation')) {
    const [, property] = /^get([A-Z]\w*)$/.exec(shortText(node.field('name'))) ?? []
    return property !== undefined && !SQL_SAFE_NAME.test(property.charAt(0).toLowerCase() + property.slice(1))
  }
  return (node.is('identifier') || node.is('field_access')) && !SQL_SAFE_NAME.test(shortText(node))
}

/** The arguments of String.format that stand between quotes in the statement. */
function formatted(call: SgNode): SgNode[] {
  const [format, ...values] = argumentsOf(call)
  const text = format?.text() ?? ''
  const verbs = [...text.matchAll(/%[-#+ 0,(]*\d*(?:\.\d+)?([a-zA-Z%])/g)].filter(
    (verb) => !/[n%]/.test(verb[1] ?? ''),
  )
  return values.filter((value, index) => {
    const verb = verbs[index]
    return (
      verb?.[1] === 's' &&
      SQL_QUOTED_BEFORE_VALUE.test(text.slice(0, verb.index).replaceAll('%%', '%')) &&
      isVariable(value)
    )
  })
}

export const sqlInjection: Rule = {
  id: 'java/sql-injection',
  languages: ['java'],
  severity: 'critical',
  what: 'A value is written into the text of an SQL statement.',
  why: "A value such as `' or 1=1 --` becomes part of the statement: it reads, changes or deletes rows that are not the caller's.",
  advice: 'Use a PreparedStatement with `?` there and set the value as a parameter.',
  match: {
    rule: {
      any: [
        {
          kind: 'binary_expression',
          all: [
            { has: { field: 'left', kind: 'string_literal', regex: SQL_QUOTED_LITERAL_BEFORE_VALUE } },
            { has: { field: 'operator', regex: '^\\+$' } },
          ],
        },
        {
          all: [
            callsMethod('^format$', { kind: 'identifier', regex: '^String$' }),
            {
              has: {
                field: 'arguments',
                has: { kind: 'string_literal', has: { kind: 'string_fragment', regex: SQL_BEGINS } },
              },
            },
          ],
        },
      ],
    },
  },
  at: (match) =>
    match.is('method_invocation') ? formatted(match) : descend(match, 'right').filter(isVariable),
  notInTests: true,
  examples: {
    bad: [
      'class A {\n  void find(String name) {\n    statement.executeQuery("select * from users where name = \'" + name + "\'");\n  }\n}\n',
      'class A {\n  void find(User user) {\n    String sql = String.format("delete from %s where name = \'%s\' and open", TABLE, user.name);\n  }\n}\n',
      'class A {\n  void find(Query query) {\n    em.createQuery("select u from User u where u.name like \'%" + query.getName() + "%\'");\n  }\n}\n',
    ],
    good: [
      'class A {\n  void find(String name) {\n    connection.prepareStatement("select * from users where name = ?").setString(1, name);\n  }\n}\n',
      'class A {\n  void find(long id) {\n    statement.executeQuery("select * from users where id = " + id);\n  }\n}\n',
      'class A {\n  void find(String name) {\n    statement.executeQuery("select * from users where name = \'" + escape(name) + "\'");\n  }\n}\n',
      'class A {\n  void say(String name) {\n    log.info("updated user = \'" + name + "\'");\n  }\n}\n',
    ],
  },
}
