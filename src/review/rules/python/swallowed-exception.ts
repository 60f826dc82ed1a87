import type { Rule, Shape } from '../rule.ts'

const EVERYTHING: Shape = { kind: 'identifier', regex: '^(Exception|BaseException)$' }

export const swallowedException: Rule = {
  id: 'python/swallowed-exception',
  languages: ['python'],
  severity: 'high',
  what: 'Every exception is caught here and dropped.',
  why: 'What fails here fails silently, programming errors included: no log line, no metric, and the code after it works on as if it had succeeded.',
  advice:
    'Catch the one exception that may be ignored (`contextlib.suppress(FileNotFoundError)`), or log it.',
  match: {
    rule: {
      kind: 'except_clause',
      all: [
        {
          has: {
            any: [EVERYTHING, { kind: 'as_pattern', has: EVERYTHING }],
          },
        },
        {
          has: {
            kind: 'block',
            not: {
              has: { pattern: '$_STATEMENT', not: { any: [{ kind: 'pass_statement' }, { pattern: '...' }] } },
            },
          },
        },
        // A comment says that somebody thought about it.
        { not: { has: { kind: 'comment', stopBy: 'end' } } },
      ],
    },
  },
  examples: {
    bad: [
      'try:\n    charge(order)\nexcept Exception:\n    pass\n',
      'def close():\n    try:\n        flush()\n    except Exception as error:\n        pass\n    return True\n',
    ],
    good: [
      'try:\n    os.remove(path)\nexcept FileNotFoundError:\n    pass\n',
      'try:\n    charge(order)\nexcept Exception:\n    log.exception("charge failed")\n',
      'try:\n    notify()\nexcept Exception:\n    # A lost notification must not fail the order.\n    pass\n',
      'try:\n    notify()\nexcept Exception:\n    pass  # best effort\n',
    ],
  },
}
