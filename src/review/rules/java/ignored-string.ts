import { callsMethod } from '../java-shapes.ts'
import type { Rule } from '../rule.ts'

export const ignoredString: Rule = {
  id: 'java/ignored-string',
  languages: ['java'],
  severity: 'high',
  what: 'The new text is thrown away: a String itself never changes.',
  why: 'The line does nothing, and the code after it works with the text as it was.',
  advice: 'Assign the result: `name = name.toLowerCase();`.',
  match: {
    rule: {
      kind: 'expression_statement',
      has: {
        any: [
          callsMethod('^(toUpperCase|toLowerCase|substring)$', {
            any: [{ kind: 'identifier' }, { kind: 'field_access' }, { kind: 'method_invocation' }],
          }),
          { pattern: '$_TEXT.replaceAll($_PATTERN, $_REPLACEMENT)' },
          { pattern: '$_TEXT.replaceFirst($_PATTERN, $_REPLACEMENT)' },
        ],
      },
    },
  },
  notInTests: true,
  examples: {
    bad: [
      'class A {\n  void rename(String name) {\n    name.toLowerCase();\n    store(name);\n  }\n}\n',
      'class A {\n  void rename(String name) {\n    name.replaceAll("\\\\s+", " ");\n    store(name);\n  }\n}\n',
    ],
    good: [
      'class A {\n  void rename(String name) {\n    name = name.toLowerCase();\n    store(name.strip());\n  }\n}\n',
      'class A {\n  void all(List<String> names) {\n    names.replaceAll(String::trim);\n  }\n}\n',
    ],
  },
}
