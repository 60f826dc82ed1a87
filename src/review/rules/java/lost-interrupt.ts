import { EMPTY_BLOCK, typeNamed } from '../java-shapes.ts'
import type { Rule } from '../rule.ts'

export const lostInterrupt: Rule = {
  id: 'java/lost-interrupt',
  languages: ['java'],
  severity: 'medium',
  what: 'The request to stop this thread is dropped.',
  why: 'Throwing InterruptedException clears the flag: the loop around this goes on, and shutdownNow() or a cancelled task waits for it in vain.',
  advice: 'Call `Thread.currentThread().interrupt()` and leave, or let the exception pass.',
  match: {
    rule: {
      kind: 'catch_clause',
      all: [
        {
          has: {
            kind: 'catch_formal_parameter',
            all: [
              { has: { kind: 'catch_type', has: typeNamed('InterruptedException') } },
              {
                not: {
                  has: {
                    field: 'name',
                    regex: '(?i)^(_|ign|expected|unused|swallow|tolerate|best|ok|never)',
                  },
                },
              },
            ],
          },
        },
        { has: { field: 'body', ...EMPTY_BLOCK } },
      ],
    },
  },
  examples: {
    bad: [
      'class A {\n  public void run() {\n    while (open) {\n      try {\n        Thread.sleep(1000);\n      } catch (InterruptedException e) {\n      }\n    }\n  }\n}\n',
    ],
    good: [
      'class A {\n  public void run() {\n    try {\n      Thread.sleep(1000);\n    } catch (InterruptedException e) {\n      Thread.currentThread().interrupt();\n    }\n  }\n}\n',
      'class A {\n  public void run() {\n    try {\n      worker.join();\n    } catch (InterruptedException e) {\n      // Only main calls this, and nobody interrupts main.\n    }\n  }\n}\n',
    ],
  },
}
