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
    {
      kind: 'call',
      has: {
        field: 'function',
        kind: 'attribute',
        all: [
          { has: { field: 'object', kind: 'string' } },
          { has: { field: 'attribute', regex: '^format$' } },
        ],
      },
    },
  ],
}

/** Its first argument looks like this. */
export function firstArgument(shape: Shape): Shape {
  return { has: { field: 'arguments', has: { nthChild: 1, ...shape } } }
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

/** It calls a function of a module, both named by regular expressions. */
export function callsFunctionOf(module: string, name: string): Shape {
  return {
    has: {
      field: 'function',
      kind: 'attribute',
      all: [
        { has: { field: 'object', kind: 'identifier', regex: module } },
        { has: { field: 'attribute', regex: name } },
      ],
    },
  }
}
