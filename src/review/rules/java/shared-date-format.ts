import { typeNamed } from '../java-shapes.ts'
import { descend, type Rule } from '../rule.ts'

export const sharedDateFormat: Rule = {
  id: 'java/shared-date-format',
  languages: ['java'],
  severity: 'high',
  what: 'All threads share this SimpleDateFormat, which keeps the date it works on in a field.',
  why: 'Two threads that format or parse at the same time get dates mixed of both, or a NumberFormatException, under load only.',
  advice: 'Use `DateTimeFormatter`, which does not change, or make one where it is used.',
  match: {
    rule: {
      kind: 'field_declaration',
      all: [
        { has: { kind: 'modifiers', has: { regex: '^static$' } } },
        {
          has: {
            field: 'declarator',
            has: {
              field: 'value',
              kind: 'object_creation_expression',
              has: { field: 'type', ...typeNamed('SimpleDateFormat') },
            },
          },
        },
      ],
    },
  },
  // One thread after the other may use it.
  unlessFileHas: {
    rule: {
      kind: 'synchronized_statement',
      has: {
        kind: 'parenthesized_expression',
        has: { kind: 'identifier', regex: '(?i:format|fmt|sdf|date)|^[A-Z_]+$' },
      },
    },
  },
  at: (match) => descend(match, 'declarator', 'value'),
  notInTests: true,
  examples: {
    bad: [
      'class A {\n  private static final SimpleDateFormat DAY = new SimpleDateFormat("yyyy-MM-dd");\n}\n',
    ],
    good: [
      'class A {\n  private static final SimpleDateFormat DAY = new SimpleDateFormat("yyyy-MM-dd");\n\n  String day(Date date) {\n    synchronized (DAY) {\n      return DAY.format(date);\n    }\n  }\n}\n',
      'class A {\n  private static final DateTimeFormatter DAY = DateTimeFormatter.ISO_LOCAL_DATE;\n}\n',
      'class A {\n  String day(Date date) {\n    return new SimpleDateFormat("yyyy-MM-dd").format(date);\n  }\n}\n',
      'class A {\n  static final ThreadLocal<DateFormat> DAY = ThreadLocal.withInitial(() -> new SimpleDateFormat("yyyy-MM-dd"));\n}\n',
    ],
  },
}
