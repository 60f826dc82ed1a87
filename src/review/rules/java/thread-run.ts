import { callsMethod, typeNamed } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'

export const threadRun: Rule = {
  id: 'java/thread-run',
  languages: ['java'],
  severity: 'high',
  what: 'run() starts no thread: the work is done here and now.',
  why: 'The caller waits for all of it, and what was to go on beside it (a server loop, a timer) stops everything after this line.',
  advice: 'Call `start()`.',
  match: {
    rule: callsMethod('^run$', {
      kind: 'object_creation_expression',
      has: { field: 'type', ...typeNamed('Thread') },
    }),
  },
  at: (match) => descend(match, 'name'),
  fix: () => 'start',
  examples: {
    bad: ['class A {\n  void open() {\n    new Thread(this::serve).run();\n  }\n}\n'],
    good: [
      'class A {\n  void open() {\n    new Thread(this::serve).start();\n  }\n}\n',
      'class A {\n  void open() {\n    new Task(order).run();\n  }\n}\n',
    ],
  },
}
