import type { SgNode } from '@ast-grep/napi'
import { CLEANS_UP } from '../effects.ts'
import { EMPTY_BLOCK, shortText, typeNamed } from '../java-shapes.ts'
import { descend, type Rule, type Shape } from '../rule.ts'

/**
 * Whether work is tried: what ends with a call that does not clean up. What ends by giving something a value, or
 * returns it, has a fallback for that.
 */
function isWork(body: SgNode): boolean {
  const statements = body.children().filter((child) => child.isNamed())
  if (statements.some((statement) => /^return_statement$|comment$/.test(String(statement.kind()))))
    return false
  const last = statements.at(-1)
  const call = last?.is('expression_statement') ? last.child(0) : null
  return call?.is('method_invocation') === true && !CLEANS_UP.test(shortText(call.field('name')))
}

const SWALLOWS: Shape = {
  kind: 'catch_clause',
  all: [
    {
      has: {
        kind: 'catch_formal_parameter',
        all: [
          { has: { kind: 'catch_type', has: typeNamed('(Exception|RuntimeException|Throwable)') } },
          {
            not: {
              has: { field: 'name', regex: '(?i)^(_|ign|expected|unused|swallow|tolerate|best|ok|never)' },
            },
          },
        ],
      },
    },
    { has: { field: 'body', ...EMPTY_BLOCK } },
  ],
}

export const swallowedException: Rule = {
  id: 'java/swallowed-exception',
  languages: ['java'],
  severity: 'high',
  what: 'Every exception is caught here and dropped.',
  why: 'What fails here fails silently, programming errors included: no log line, no metric, and the code after it works on as if it had succeeded.',
  advice:
    'Catch the one exception that may be ignored, or log it. If really none matters, call it `ignored` or say why in a comment.',
  match: {
    rule: {
      any: [{ kind: 'try_statement' }, { kind: 'try_with_resources_statement' }],
      has: { ...SWALLOWS, pattern: '$HANDLER' },
    },
  },
  at: (match) =>
    descend(match, 'body').some(isWork)
      ? [match.getMatch('HANDLER')].filter((handler) => handler !== null)
      : [],
  examples: {
    bad: [
      'class A {\n  void close() {\n    try {\n      flush();\n    } catch (Exception e) {\n    }\n  }\n}\n',
    ],
    good: [
      'class A {\n  void stop() {\n    try {\n      connection.close();\n    } catch (Exception e) {\n    }\n  }\n}\n',
      'class A {\n  void close() {\n    try {\n      flush();\n    } catch (Exception e) {\n      log.warn("flush failed", e);\n    }\n  }\n}\n',
      'class A {\n  void close() {\n    try {\n      flush();\n    } catch (Exception e) {\n      // The process ends anyway.\n    }\n  }\n}\n',
      'class A {\n  void close() {\n    try {\n      flush();\n    } catch (Exception ignored) {}\n  }\n}\n',
      'class A {\n  int parse(String text) {\n    try {\n      return Integer.parseInt(text);\n    } catch (NumberFormatException e) {}\n    return 0;\n  }\n}\n',
    ],
  },
}
