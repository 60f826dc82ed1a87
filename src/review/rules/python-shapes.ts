import type { SgNode } from '@ast-grep/napi'
import type { Shape } from './rule.ts'

/** An f-string (or anything else with `{}` filled in while the program runs). */
export const F_STRING: Shape = { kind: 'string', has: { kind: 'interpolation' } }

/** Text put together from parts while the program runs: an f-string, `+`, `%` or `.format()`. */
export const BUILT_STRING: Shape = {
  any: [
    F_STRING,
    {
      kind: 'binary_operator',
      has: { field: 'left', any: [{ kind: 'string' }, { kind: 'binary_operator' }] },
    },
    { kind: 'call', ...callsMethod('^format$', { kind: 'string' }) },
  ],
}

/** It has a first argument, which the rule's `constraints` then know as `FIRST`. */
export const FIRST_ARGUMENT: Shape = {
  has: {
    field: 'arguments',
    any: ['f($FIRST)', 'f($FIRST, $$$)'].map((context) => ({
      pattern: { context, selector: 'argument_list' },
    })),
  },
}

/** It has this keyword argument. */
export function keyword(name: string, value: Shape): Shape {
  return {
    has: {
      field: 'arguments',
      has: {
        kind: 'keyword_argument',
        all: [{ has: { field: 'name', regex: `^${name}$` } }, { has: { field: 'value', ...value } }],
      },
    },
  }
}

/** It calls a method whose name matches, on an object that looks like this. */
export function callsMethod(name: string, object: Shape): Shape {
  return {
    has: {
      field: 'function',
      kind: 'attribute',
      all: [{ has: { field: 'attribute', regex: name } }, { has: { field: 'object', ...object } }],
    },
  }
}

/** It calls a function of a module, both named by regular expressions. */
export function callsFunctionOf(module: string, name: string): Shape {
  return callsMethod(name, { kind: 'identifier', regex: module })
}

/** Parts of statements, and statements, that have statements in them which run in the same function. */
const COMPOUND = /^(block|(if|for|while|with|try|match)_statement|(elif|else|except|finally|case)_clause)$/

/** All statements in this one, at any depth, that run in the same function. Expressions are not gone into. */
export function statementsIn(compound: SgNode): SgNode[] {
  const found: SgNode[] = []
  const open = [compound]
  for (let next = open.pop(); next; next = open.pop()) {
    for (const part of next.children()) {
      if (COMPOUND.test(String(part.kind()))) open.push(part)
      else found.push(part)
    }
  }
  return found
}
