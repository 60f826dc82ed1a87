import { argumentsOf, callsMethod, shortText } from '../java-shapes.ts'
import type { Rule } from '../rule.ts'

export const partialRead: Rule = {
  id: 'java/partial-read',
  languages: ['java'],
  severity: 'high',
  what: 'Nobody looks at how many bytes were read.',
  why: 'read() returns what is there, which for a network or a large file is less than the array: the rest of it stays zero.',
  advice: 'Use `readFully` (DataInputStream), `readNBytes`, or `readAllBytes`.',
  match: {
    rule: {
      kind: 'expression_statement',
      has: {
        all: [
          callsMethod('^read$', {
            kind: 'identifier',
            regex: '(?i)(^|_)(in|is|fis|dis|bis|istream)$|(input|file|data|in)stream$',
          }),
          { pattern: '$READ' },
        ],
      },
    },
  },
  at: (match) => {
    const read = match.getMatch('READ')
    const [buffer] = read ? argumentsOf(read) : []
    return read && /buf|byte|data|^(b|bs|arr|header|magic|content)$/i.test(shortText(buffer)) ? [read] : []
  },
  notInTests: true,
  examples: {
    bad: [
      'class A {\n  byte[] load(File file) throws IOException {\n    byte[] bytes = new byte[(int) file.length()];\n    try (InputStream in = new FileInputStream(file)) {\n      in.read(bytes);\n    }\n    return bytes;\n  }\n}\n',
    ],
    good: [
      'class A {\n  byte[] load(InputStream in) throws IOException {\n    return in.readAllBytes();\n  }\n}\n',
      'class A {\n  int load(InputStream in, byte[] buffer) throws IOException {\n    int count = in.read(buffer);\n    return count;\n  }\n}\n',
      'class A {\n  void skip(InputStream in) throws IOException {\n    in.read();\n  }\n}\n',
    ],
  },
}
