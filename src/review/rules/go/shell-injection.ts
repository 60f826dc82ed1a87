import { callsFunctionOf } from '../go-shapes.ts'
import type { Rule, Shape } from '../rule.ts'

const TEXT: Shape = { any: [{ kind: 'interpreted_string_literal' }, { kind: 'raw_string_literal' }] }

export const shellInjection: Rule = {
  id: 'go/shell-injection',
  languages: ['go'],
  severity: 'critical',
  what: 'A shell command line is put together with a value in it.',
  why: 'A value such as `x; curl … | sh` runs as a command of its own; a mere space in a file name already breaks it.',
  advice:
    'Call the program itself with its arguments, `exec.Command("convert", path, target)`, or pass the value as an argument of the script (`"$1"`).',
  match: {
    rule: {
      any: [
        'exec.Command($SHELL, $_FLAG, $COMMAND)',
        'exec.CommandContext($_CONTEXT, $SHELL, $_FLAG, $COMMAND)',
      ].map((pattern) => ({
        pattern: { context: `package a\nfunc f() { ${pattern} }`, selector: 'call_expression' },
      })),
    },
    constraints: {
      SHELL: { regex: '^"(/(usr/)?bin/)?(ba|z|da)?sh"$' },
      COMMAND: {
        any: [
          {
            kind: 'binary_expression',
            any: [
              { has: { field: 'left', any: [TEXT, { kind: 'binary_expression' }] } },
              { has: { field: 'right', ...TEXT } },
            ],
          },
          callsFunctionOf('^fmt$', '^Sprint(f|ln)?$'),
        ],
      },
    },
  },
  at: (match) => [match.getMatch('COMMAND')].filter((command) => command !== null),
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nfunc thumb(path string) error {\n\treturn exec.Command("sh", "-c", "convert "+path+" out.png").Run()\n}\n',
      'package a\n\nfunc list(dir string) error {\n\treturn exec.CommandContext(ctx, "/bin/bash", "-c", fmt.Sprintf("ls %s | wc -l", dir)).Run()\n}\n',
    ],
    good: [
      'package a\n\nfunc thumb(path string) error {\n\treturn exec.Command("convert", path, "out.png").Run()\n}\n',
      'package a\n\nfunc count() error {\n\treturn exec.Command("sh", "-c", "ls | wc -l").Run()\n}\n',
    ],
  },
}
