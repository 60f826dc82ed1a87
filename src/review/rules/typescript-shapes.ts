import type { SgNode } from '@ast-grep/napi'
import { descend, type Shape } from './rule.ts'

/** A function written with `async`. */
export const ASYNC_FUNCTION: Shape = {
  any: [
    { pattern: 'async ($$$) => $_BODY' },
    { pattern: 'async $_PARAMETER => $_BODY' },
    { pattern: 'async function ($$$) { $$$ }' },
    { pattern: 'async function $_NAME($$$) { $$$ }' },
  ],
}

/** Names of things whose methods of the same names do wait, such as Node's streams. */
const WAITS = '(?i)stream|readable|cursor|observable|queue|pool|\\$$'

/** The object of a method call that is an array as far as anybody can tell from here. */
export const ARRAY_LIKE: Shape = {
  has: {
    field: 'object',
    any: [
      { kind: 'identifier', not: { regex: WAITS } },
      { kind: 'member_expression', not: { has: { field: 'property', regex: WAITS } } },
      { kind: 'array' },
      { pattern: 'Object.keys($_OBJECT)' },
      { pattern: 'Object.values($_OBJECT)' },
      { pattern: 'Object.entries($_OBJECT)' },
    ],
  },
}

/** It has a first argument, which the rule's `constraints` then know as `FIRST`. */
export const FIRST_ARGUMENT: Shape = {
  has: {
    field: 'arguments',
    any: ['f($FIRST)', 'f($FIRST, $$$)'].map((context) => ({ pattern: { context, selector: 'arguments' } })),
  },
}

/** It calls a method whose name matches, on an object that looks like this. */
export function callsMethod(name: string, object: Shape = {}): Shape {
  const property: Shape = { has: { field: 'property', kind: 'property_identifier', regex: name } }
  return { has: { field: 'function', kind: 'member_expression', all: [property, object] } }
}

/**
 * Whether this is a variable or a property, as opposed to a constant, an enum member, a call that may have
 * escaped it, or a fact about the process.
 */
function isVariable(node: SgNode | null | undefined, exceptNamed: RegExp): boolean {
  if (node?.is('identifier')) return !exceptNamed.test(node.text())
  if (!node?.is('member_expression')) return node?.is('subscript_expression') ?? false
  if (exceptNamed.test(node.field('property')?.text() ?? '')) return false
  const object = node.field('object')
  return !(object?.is('identifier') && /^([A-Z]|process$)/.test(object.text()))
}

/**
 * The places where a variable is put into text: holes of a template literal, or the right side of a
 * concatenation.
 *
 * @param after if given, only holes directly behind text like this
 */
export function variablesIn(text: SgNode, exceptNamed: RegExp, after?: RegExp): SgNode[] {
  if (!text.is('template_string')) {
    return descend(text, 'right').filter((right) => isVariable(right, exceptNamed))
  }
  const parts = text.children()
  return parts.filter((part, index) => {
    if (!part.is('template_substitution') || !isVariable(part.child(1), exceptNamed)) return false
    return after === undefined || endsWith(parts[index - 1], after)
  })
}

function endsWith(fragment: SgNode | undefined, end: RegExp): boolean {
  return fragment?.is('string_fragment') === true && end.test(fragment.text())
}
