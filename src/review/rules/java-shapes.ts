import type { SgNode } from '@ast-grep/napi'
import type { Shape } from './rule.ts'

/** It calls a method so named, on an object that looks like this. Names are regular expressions. */
export function callsMethod(name: string, object: Shape = {}): Shape {
  return {
    kind: 'method_invocation',
    all: [
      { has: { field: 'name', regex: name } },
      ...(Object.keys(object).length > 0 ? [{ has: { field: 'object', ...object } }] : []),
    ],
  }
}

/** A block without any statement, and without a comment that says why. */
export const EMPTY_BLOCK: Shape = { kind: 'block', not: { has: { pattern: '$_CONTENT' } } }

/** A class by its simple name, whether written with its package or without. */
export function typeNamed(name: string): Shape {
  return {
    any: [
      { kind: 'type_identifier', regex: `^${name}$` },
      { kind: 'scoped_type_identifier', regex: `\\.${name}$` },
    ],
  }
}

/** The arguments of a call or creation. */
export function argumentsOf(call: SgNode): SgNode[] {
  return (
    call
      .field('arguments')
      ?.children()
      .filter((part) => part.isNamed() && !/comment$/.test(String(part.kind()))) ?? []
  )
}

/** The node's text, or none of a longer one: what nests must not be read again at each level. */
export function shortText(node: SgNode | null | undefined, maxLength = 200): string {
  if (!node) return ''
  const { start, end } = node.range()
  return end.index - start.index > maxLength ? '' : node.text()
}

/** Text put together from literals and something else: `"a" + b`, at any depth of the chain. */
export const BUILT_STRING: Shape = {
  kind: 'binary_expression',
  all: [
    { has: { field: 'operator', regex: '^\\+$' } },
    {
      any: [
        { has: { field: 'left', kind: 'string_literal' } },
        { has: { field: 'right', kind: 'string_literal' } },
        {
          has: {
            field: 'left',
            kind: 'binary_expression',
            any: [
              { has: { field: 'left', kind: 'string_literal' } },
              { has: { field: 'right', kind: 'string_literal' } },
            ],
          },
        },
      ],
    },
    {
      not: {
        all: [
          { has: { field: 'left', kind: 'string_literal' } },
          { has: { field: 'right', kind: 'string_literal' } },
        ],
      },
    },
  ],
}

/** Statements directly in this block, without braces and comments. */
export function statementsOf(block: SgNode): SgNode[] {
  return block.children().filter((child) => child.isNamed() && !/comment$/.test(String(child.kind())))
}

/** Statements, and parts of them, that have statements in them which run in the same method. */
const COMPOUND =
  /^(block|(if|for|enhanced_for|while|do|try|try_with_resources|synchronized|labeled|switch)_statement|switch_(expression|block|block_statement_group|rule)|catch_clause|finally_clause)$/

/** All statements below this node that run in the same method. Expressions are not gone into. */
export function statementsIn(node: SgNode): SgNode[] {
  const found: SgNode[] = []
  const open = [node]
  for (let next = open.pop(); next; next = open.pop()) {
    if (next !== node) found.push(next)
    if (next === node || COMPOUND.test(String(next.kind()))) open.push(...statementsOf(next))
  }
  return found
}
