import type { SgNode } from '@ast-grep/napi'
import { argumentsOf, BUILT_STRING, callsMethod, shortText, typeNamed } from '../java-shapes.ts'
import type { Rule, Shape } from '../rule.ts'

const EXEC: Shape = callsMethod('^exec$', {
  any: [{ pattern: 'Runtime.getRuntime()' }, { kind: 'identifier', regex: '^(rt|runtime)$' }],
})
const BUILT = { has: { field: 'arguments', has: { ...BUILT_STRING, pattern: '$BUILT' } } }
const BUILT_IN_ARRAY = {
  has: {
    field: 'arguments',
    has: {
      kind: 'array_creation_expression',
      has: { field: 'value', has: { ...BUILT_STRING, pattern: '$BUILT' } },
    },
  },
}

/** Whether the arguments before the command say that a shell is to read it. */
function isForShell(call: SgNode): boolean {
  const [first] = argumentsOf(call)
  const array = first?.is('array_creation_expression') ? first.field('value') : undefined
  const words = array ? array.children().filter((child) => child.isNamed()) : argumentsOf(call)
  return (
    words.length === 3 &&
    /^"((\/usr)?\/bin\/)?(ba|da|k|z)?sh"$/.test(shortText(words[0])) &&
    /^"-l?c"$/.test(shortText(words[1]))
  )
}

export const commandInjection: Rule = {
  id: 'java/command-injection',
  languages: ['java'],
  severity: 'high',
  what: 'A command line is put together with a value in it.',
  why: 'It is taken apart at spaces (by exec) or read by a shell: a value with a space adds arguments, and one with `;` adds a command.',
  advice: 'Pass a list: `new ProcessBuilder("convert", path, target)`.',
  match: {
    rule: {
      any: [
        { all: [EXEC, { any: [BUILT, BUILT_IN_ARRAY] }] },
        {
          kind: 'object_creation_expression',
          all: [{ has: { field: 'type', ...typeNamed('ProcessBuilder') } }, { any: [BUILT, BUILT_IN_ARRAY] }],
        },
      ],
    },
  },
  at: (match) => {
    const built = match.getMatch('BUILT')
    const [first] = argumentsOf(match)
    const isLine = match.is('method_invocation') && first?.is('binary_expression') === true
    return built && (isLine || isForShell(match)) ? [built] : []
  },
  notInTests: true,
  examples: {
    bad: [
      'class A {\n  void thumb(String path) throws IOException {\n    Runtime.getRuntime().exec("convert " + path + " out.png");\n  }\n}\n',
      'class A {\n  void list(String dir) throws IOException {\n    new ProcessBuilder("sh", "-c", "ls " + dir + " | wc -l").start();\n  }\n}\n',
      'class A {\n  void list(String dir) throws IOException {\n    Runtime.getRuntime().exec(new String[] {"/bin/bash", "-c", "ls " + dir});\n  }\n}\n',
    ],
    good: [
      'class A {\n  void thumb(String path) throws IOException {\n    new ProcessBuilder("convert", path, "out.png").start();\n  }\n}\n',
      'class A {\n  void thumb(String path) throws IOException {\n    new ProcessBuilder("convert", "--size=" + size, path).start();\n  }\n}\n',
      'class A {\n  void now() throws IOException {\n    Runtime.getRuntime().exec("date");\n  }\n}\n',
    ],
  },
}
