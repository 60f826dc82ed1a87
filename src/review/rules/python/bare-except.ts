import type { SgNode } from '@ast-grep/napi'
import { statementsIn } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

function raises(handler: SgNode): boolean {
  return statementsIn(handler).some((statement) => statement.is('raise_statement'))
}

export const bareExcept: Rule = {
  id: 'python/bare-except',
  languages: ['python'],
  severity: 'high',
  what: '`except:` also catches SystemExit, KeyboardInterrupt and cancellation.',
  why: 'The process no longer stops on SIGINT or sys.exit(), and a misspelt name in the try block looks like the failure that was expected.',
  advice:
    'Name the exceptions that this code can handle; `except Exception:` at the outermost loop, with a log line.',
  match: {
    rule: {
      kind: 'except_clause',
      not: { has: { pattern: '$_EXCEPTION', not: { any: [{ kind: 'block' }, { kind: 'comment' }] } } },
    },
  },
  at: (match) => (raises(match) ? [] : match.children().slice(0, 1)),
  examples: {
    bad: [
      'try:\n    charge(order)\nexcept:\n    log.error("charge failed")\n',
      'while True:\n    try:\n        poll()\n    except:\n        continue\n',
    ],
    good: [
      'try:\n    charge(order)\nexcept PaymentError:\n    log.error("charge failed")\n',
      'try:\n    charge(order)\nexcept:\n    rollback()\n    raise\n',
      'try:\n    charge(order)\nexcept (PaymentError, Timeout) as error:\n    log.error(error)\n',
    ],
  },
}
