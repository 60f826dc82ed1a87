import type { SgNode } from '@ast-grep/napi'
import type { Shape } from './rule.ts'

/** Functions and methods: the declarations that Go does not nest. */
export const FUNCTION: Shape = { any: [{ kind: 'function_declaration' }, { kind: 'method_declaration' }] }

/** The import of a package under its own name, by the text of its path. */
export function imports(path: string): Shape {
  return {
    kind: 'import_spec',
    all: [
      { not: { has: { field: 'name', pattern: '$_ALIAS' } } },
      { has: { field: 'path', regex: `^"${path}"$` } },
    ],
  }
}

/** It calls a function of a package, or a method of a thing so named: both by regular expressions. */
export function callsFunctionOf(operand: string, name: string): Shape {
  return {
    kind: 'call_expression',
    has: {
      field: 'function',
      kind: 'selector_expression',
      all: [
        { has: { field: 'operand', kind: 'identifier', regex: operand } },
        { has: { field: 'field', regex: name } },
      ],
    },
  }
}

/** Parts of statements, and statements, that have statements in them which run in the same function. */
const COMPOUND =
  /^(block|statement_list|(if|for|expression_switch|type_switch|select|labeled)_statement|(expression|type|default|communication)_case)$/

/**
 * All statements below this node that run in the same function, in the order of the text. Function literals are
 * not gone into, and neither are nodes of the kind `except`.
 */
export function statementsIn(node: SgNode, except?: string): SgNode[] {
  const found: SgNode[] = []
  const open = [node]
  for (let next = open.pop(); next; next = open.pop()) {
    if (next !== node && next.isNamed()) found.push(next)
    const kind = String(next.kind())
    if (next === node || (COMPOUND.test(kind) && kind !== except)) open.push(...next.children().reverse())
  }
  return found.filter((statement) => !/^(block|statement_list|comment)$/.test(String(statement.kind())))
}

/** The statements that are directly in this list, without separators and comments. */
export function statementsOf(list: SgNode): SgNode[] {
  return list.children().filter((child) => child.isNamed() && !child.is('comment'))
}

/** The statements that are directly in this block. */
export function statementsOfBlock(block: SgNode): SgNode[] {
  return block
    .children()
    .filter((child) => child.is('statement_list'))
    .flatMap(statementsOf)
}

/** The call that the statement consists of, or that it defers. */
export function callOf(statement: SgNode | undefined): SgNode | undefined {
  if (!statement?.is('expression_statement') && !statement?.is('defer_statement')) return undefined
  return statement.children().find((child) => child.is('call_expression'))
}

/** What is called, as text (`rows.Close`); empty if it is longer than any name. */
export function calledName(call: SgNode | undefined): string {
  const called = call?.field('function')
  return called ? shortText(called, 100) : ''
}

/** The node's text, or none of a longer one: what nests must not be read again at each level. */
export function shortText(node: SgNode, maxLength: number): string {
  const { start, end } = node.range()
  return end.index - start.index > maxLength ? '' : node.text()
}

/** The names that a declaration or assignment gives values to, and the expressions that these come from. */
export function assigned(statement: SgNode): { names: string[]; values: SgNode[] } | undefined {
  if (!statement.is('short_var_declaration') && !statement.is('assignment_statement')) return undefined
  const list = (field: string): SgNode[] =>
    statement
      .field(field)
      ?.children()
      .filter((child) => child.isNamed()) ?? []
  return { names: list('left').map((name) => shortText(name, 100)), values: list('right') }
}
