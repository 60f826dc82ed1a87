import type { SgNode } from '@ast-grep/napi'
import { shortText } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'

/** Of a longer method it cannot be told. */
const MAX_BODY = 4096

/** As opposed to one that says yes to itself alone, whose hash code may be that of the reference. */
const COMPARES_CONTENT = /instanceof|getClass\(|\.equals\(|\.class\b/

function named(members: readonly SgNode[], name: string, parameters: RegExp): SgNode | undefined {
  return members.find(
    (member) =>
      member.is('method_declaration') &&
      shortText(member.field('name')) === name &&
      parameters.test(shortText(member.field('parameters'))),
  )
}

function unhashed(declaration: SgNode): SgNode[] {
  if (declaration.field('superclass')) return []
  const members = declaration.field('body')?.children() ?? []
  const equals = named(
    members,
    'equals',
    /^\(\s*(@\w+\s+)*(final\s+)?(@\w+\s+)*(java\.lang\.)?Object\s+\w+\s*\)$/,
  )
  if (!equals || named(members, 'hashCode', /^\(\s*\)$/)) return []
  return COMPARES_CONTENT.test(shortText(equals.field('body'), MAX_BODY)) ? descend(equals, 'name') : []
}

export const equalsWithoutHashcode: Rule = {
  id: 'java/equals-without-hashcode',
  languages: ['java'],
  severity: 'medium',
  what: 'equals() is redefined, and hashCode() is still that of the reference.',
  why: 'Equal objects then have different hash codes: a HashMap does not find the key, and a HashSet keeps both.',
  advice: 'Redefine both from the same fields (`Objects.hash(…)`), or make it a record.',
  match: { rule: { kind: 'class_declaration' } },
  at: unhashed,
  notInTests: true,
  examples: {
    bad: [
      'class Point {\n  int x, y;\n\n  @Override\n  public boolean equals(Object other) {\n    return other instanceof Point p && p.x == x && p.y == y;\n  }\n}\n',
    ],
    good: [
      'class Point {\n  public boolean equals(Object other) {\n    return other instanceof Point p && p.x == x;\n  }\n\n  public int hashCode() {\n    return x;\n  }\n}\n',
      'class Point extends Pair {\n  public boolean equals(Object other) {\n    return super.equals(other);\n  }\n}\n',
      'class Nothing {\n  public boolean equals(Object other) {\n    return other == null || other == this;\n  }\n}\n',
      'class Point {\n  boolean equals(Point other) {\n    return other.x == x;\n  }\n}\n',
    ],
  },
}
