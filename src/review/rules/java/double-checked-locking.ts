import type { SgNode } from '@ast-grep/napi'
import { shortText, statementsIn, statementsOf } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'

/** The names of fields of this class that are objects and neither volatile nor final. */
function plainFields(members: readonly SgNode[]): Set<string> {
  const fields = members.filter((member) => member.is('field_declaration'))
  const plain = fields.filter((field) => {
    const modifiers = field.children().find((child) => child.is('modifiers'))
    const type = String(field.field('type')?.kind() ?? '')
    return !/volatile|final/.test(shortText(modifiers)) && !/integral|floating|boolean/.test(type)
  })
  return new Set(
    plain.flatMap((field) => descend(field, 'declarator', 'name')).map((name) => shortText(name)),
  )
}

/** The name in `if (name == null)`. */
function nullChecked(statement: SgNode): string | undefined {
  if (!statement.is('if_statement')) return undefined
  return /^\(\s*(?:this\.|\w+\.)?(\w+)\s*==\s*null\s*\)$/.exec(shortText(statement.field('condition')))?.[1]
}

function checksTwice(statement: SgNode, fields: ReadonlySet<string>): boolean {
  const field = nullChecked(statement)
  if (field === undefined || !fields.has(field)) return false
  return descend(statement, 'consequence')
    .flatMap(statementsOf)
    .filter((inner) => inner.is('synchronized_statement'))
    .flatMap((inner) => descend(inner, 'body').flatMap(statementsOf))
    .some((inner) => nullChecked(inner) === field && sets(inner, field))
}

/** Whether the statement gives the field its value, and not something else that waits for it. */
function sets(statement: SgNode, field: string): boolean {
  return descend(statement, 'consequence')
    .flatMap((then) => (then.is('block') ? statementsOf(then) : [then]))
    .map((inner) => (inner.is('expression_statement') ? inner.child(0) : null))
    .some((inner) => inner?.is('assignment_expression') && shortText(inner.field('left')).endsWith(field))
}

export const doubleCheckedLocking: Rule = {
  id: 'java/double-checked-locking',
  languages: ['java'],
  severity: 'high',
  what: 'The first check reads a field that is not volatile, without the lock.',
  why: 'Another thread can see the reference before what the constructor wrote: it works with an object whose fields are still null.',
  advice: 'Make the field volatile, or use a holder class that Java initialises once.',
  match: { rule: { kind: 'class_body' } },
  at: (match) => {
    const members = match.children()
    const fields = plainFields(members)
    if (fields.size === 0) return []
    return members
      .filter((member) => member.is('method_declaration'))
      .flatMap((method) => descend(method, 'body').flatMap(statementsIn))
      .filter((statement) => checksTwice(statement, fields))
      .flatMap((statement) => descend(statement, 'condition'))
  },
  examples: {
    bad: [
      'class A {\n  private static A instance;\n\n  static A get() {\n    if (instance == null) {\n      synchronized (A.class) {\n        if (instance == null) {\n          instance = new A();\n        }\n      }\n    }\n    return instance;\n  }\n}\n',
    ],
    good: [
      'class A {\n  private static volatile A instance;\n\n  static A get() {\n    if (instance == null) {\n      synchronized (A.class) {\n        if (instance == null) {\n          instance = new A();\n        }\n      }\n    }\n    return instance;\n  }\n}\n',
      'class A {\n  private Queue queue;\n\n  void send(Order order) {\n    if (queue == null) {\n      synchronized (this) {\n        if (queue == null) {\n          throw new IllegalStateException();\n        }\n      }\n    }\n    queue.add(order);\n  }\n}\n',
      'class A {\n  private A instance;\n\n  A get() {\n    synchronized (this) {\n      if (instance == null) {\n        instance = new A();\n      }\n    }\n    return instance;\n  }\n}\n',
    ],
  },
}
