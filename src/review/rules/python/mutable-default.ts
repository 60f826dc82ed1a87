import type { Rule } from '../rule.ts'

export const mutableDefault: Rule = {
  id: 'python/mutable-default',
  languages: ['python'],
  severity: 'medium',
  what: 'The default is one object, made once, that all calls share.',
  why: 'What one call puts into it the next call finds there: data of one request shows up in another.',
  advice: 'Default to None and make the object in the body: `items = [] if items is None else items`.',
  match: {
    rule: {
      any: [{ kind: 'default_parameter' }, { kind: 'typed_default_parameter' }],
      all: [
        // A default called `_cache` is shared on purpose.
        { has: { field: 'name', kind: 'identifier', not: { regex: '^_|(?i:cache|memo)' } } },
        {
          has: {
            field: 'value',
            any: [
              { pattern: '[]' },
              { pattern: '{}' },
              { pattern: 'list()' },
              { pattern: 'dict()' },
              { pattern: 'set()' },
            ],
          },
        },
      ],
    },
  },
  examples: {
    bad: [
      'def add(item, items=[]):\n    items.append(item)\n    return items\n',
      'def connect(host: str, options: dict[str, str] = {}) -> None:\n    pass\n',
    ],
    good: [
      'def add(item, items=None):\n    items = [] if items is None else items\n',
      'def add(item, items=()):\n    return [*items, item]\n',
      'def fibonacci(n, _cache={}):\n    return _cache.setdefault(n, n)\n',
    ],
  },
}
