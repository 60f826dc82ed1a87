import { typeNamed } from '../java-shapes.ts'
import type { Rule } from '../rule.ts'

export const deserializedRequest: Rule = {
  id: 'java/deserialized-request',
  languages: ['java'],
  severity: 'critical',
  what: 'Java objects are read from what a client sent.',
  why: 'The stream says which classes to make, and with the usual libraries on the class path that is enough to run a command: whoever can connect runs code here.',
  advice:
    'Use JSON with a schema; where it must be this, set an `ObjectInputFilter` that lists the allowed classes.',
  match: {
    rule: {
      kind: 'object_creation_expression',
      all: [
        { has: { field: 'type', ...typeNamed('ObjectInputStream') } },
        { has: { field: 'arguments', has: { pattern: '$SENDER.getInputStream()' } } },
      ],
    },
    constraints: { SENDER: { regex: '(?i)^(this\\.)?\\w*(request|req|socket|client|connection)$' } },
  },
  notInTests: true,
  examples: {
    bad: [
      'class A extends HttpServlet {\n  void doPost(HttpServletRequest request) throws Exception {\n    Object order = new ObjectInputStream(request.getInputStream()).readObject();\n  }\n}\n',
    ],
    good: [
      'class A {\n  Object load(File file) throws Exception {\n    return new ObjectInputStream(new FileInputStream(file)).readObject();\n  }\n}\n',
      'class A extends HttpServlet {\n  void doPost(HttpServletRequest request) throws Exception {\n    Order order = mapper.readValue(request.getInputStream(), Order.class);\n  }\n}\n',
    ],
  },
}
