import type { SgNode } from '@ast-grep/napi'
import { statementsIn } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

/** Of a longer handler it cannot be told whether it hands the exception on. */
const MAX_STATEMENT = 2000

/** Raises it again, also by a context manager that does, or keeps it for somebody else to raise. */
function handsOn(handler: SgNode): boolean {
  return statementsIn(handler).some((statement) => {
    if (statement.is('raise_statement')) return true
    const { start, end } = statement.range()
    const text = end.index - start.index > MAX_STATEMENT ? '' : statement.text()
    return /\breraise|safe_reraise|exc_info\(|\bFailure\(|\b_exit\(/.test(text)
  })
}

/** What is written in `with …` around statements of the handler. */
function contexts(handler: SgNode): string[] {
  const blocks = handler.children().filter((child) => child.is('block'))
  const clauses = blocks.flatMap((block) =>
    block
      .children()
      .filter((statement) => statement.is('with_statement'))
      .flatMap((statement) => statement.children().filter((child) => child.is('with_clause'))),
  )
  return clauses.map((clause) => clause.text())
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
      all: [
        { not: { has: { pattern: '$_EXCEPTION', not: { any: [{ kind: 'block' }, { kind: 'comment' }] } } } },
        // A comment says that somebody thought about it.
        { not: { has: { kind: 'comment' } } },
      ],
    },
  },
  at: (match) =>
    handsOn(match) || contexts(match).some((context) => context.includes('reraise'))
      ? []
      : match.children().slice(0, 1),
  examples: {
    bad: [
      'try:\n    charge(order)\nexcept:\n    log.error("charge failed")\n',
      'while True:\n    try:\n        poll()\n    except:\n        continue\n',
    ],
    good: [
      'try:\n    charge(order)\nexcept PaymentError:\n    log.error("charge failed")\n',
      'try:\n    charge(order)\nexcept:\n    rollback()\n    raise\n',
      'try:\n    charge(order)\nexcept:\n    with reraised():\n        rollback()\n',
      'try:\n    charge(order)\nexcept:\n    failures.append(sys.exc_info())\n',
      'try:\n    charge(order)\nexcept:  # the thread must not die\n    failed = True\n',
      'try:\n    charge(order)\nexcept (PaymentError, Timeout) as error:\n    log.error(error)\n',
    ],
  },
}
