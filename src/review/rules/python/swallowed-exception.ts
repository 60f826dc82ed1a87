import type { SgNode } from '@ast-grep/napi'
import { HAS_EFFECT } from '../effects.ts'
import { descend, type Rule, type Shape } from '../rule.ts'

const EVERYTHING: Shape = { kind: 'identifier', regex: '^(Exception|BaseException)$' }

const SWALLOWS: Shape = {
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
}

/** The name of the function or method that the statement calls, awaited or not. */
function calledName(statement: SgNode | undefined): string | undefined {
  const expression = statement?.is('expression_statement') ? statement.child(0) : null
  const call = expression?.is('await') ? expression.child(1) : expression
  const called = call?.is('call') ? call.field('function') : null
  const name = called?.is('attribute') ? called.field('attribute') : called
  return name?.is('identifier') ? name.text() : undefined
}

/**
 * Whether something is changed there in the end. What ends by giving something a value, or returns it, has a
 * fallback for that.
 */
function isWork(body: SgNode): boolean {
  const statements = body.children().filter((child) => child.isNamed())
  if (statements.some((statement) => statement.is('return_statement') || statement.is('comment')))
    return false
  const name = calledName(statements.at(-1))
  return name !== undefined && HAS_EFFECT.test(name)
}

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
      kind: 'try_statement',
      all: [{ has: { ...SWALLOWS, pattern: '$HANDLER' } }, { not: { has: { kind: 'else_clause' } } }],
    },
  },
  at: (match) =>
    descend(match, 'body').some(isWork)
      ? [match.getMatch('HANDLER')].filter((handler) => handler !== null)
      : [],
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
      'port = 80\ntry:\n    port = int(text)\nexcept Exception:\n    pass\n',
      'try:\n    connection.close()\nexcept Exception:\n    pass\n',
    ],
  },
}
