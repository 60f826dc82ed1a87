// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the examples are source text.
import { type Rule, SCRIPT_LANGUAGES, type Shape } from '../rule.ts'
import { callsMethod, FIRST_ARGUMENT, variablesIn } from '../typescript-shapes.ts'

const SAFE_NAME = /[qQ]uoted|[eE]scaped|[pP]id$|[pP]ort$|^([A-Z][A-Z0-9_]*|__dirname|__filename)$/
const MODULE: Shape = {
  has: { field: 'object', kind: 'identifier', regex: '^(cp|child_process|childProcess)$' },
}

export const shellInjection: Rule = {
  id: 'typescript/shell-injection',
  languages: SCRIPT_LANGUAGES,
  severity: 'critical',
  what: 'A shell command line is put together with a value in it.',
  why: 'A value such as `x; curl … | sh` runs as a command of its own; a mere space in a file name already breaks it.',
  advice: 'Use `execFile` or `spawn` with an array of arguments: no shell reads those.',
  match: {
    rule: {
      kind: 'call_expression',
      all: [
        {
          any: [
            { has: { field: 'function', kind: 'identifier', regex: '^exec(Sync|Async|Promise|P)?$' } },
            callsMethod('^exec(Sync)?$', MODULE),
          ],
        },
        FIRST_ARGUMENT,
      ],
    },
    constraints: {
      FIRST: {
        any: [
          { kind: 'template_string', has: { kind: 'template_substitution' } },
          { kind: 'binary_expression', has: { field: 'left', kind: 'string' } },
        ],
      },
    },
  },
  fileHas: { rule: { kind: 'string_fragment', regex: '^(node:)?child_process$' } },
  at: (match) => {
    const command = match.getMatch('FIRST')
    return command ? variablesIn(command, SAFE_NAME) : []
  },
  notInTests: true,
  examples: {
    bad: [
      "import { exec } from 'node:child_process'\nexec(`convert ${file} out.png`, done)\n",
      "const cp = require('child_process')\ncp.execSync('git tag ' + version)\n",
      "import { execSync } from 'child_process'\nexecSync(`tar xf ${upload.path}`)\n",
    ],
    good: [
      "import { execFile } from 'node:child_process'\nexecFile('convert', [file, 'out.png'], done)\n",
      "import { execSync } from 'node:child_process'\nexecSync('git rev-parse HEAD')\nexecSync(`kill ${process.pid}`)\n",
      "import { execSync } from 'node:child_process'\nexecSync(`ls ${DATA_DIRECTORY}`)\n",
      'const row = db.exec(`select ${column}`)\n',
      'const found = /(a+)/.exec(`b${text}`)\n',
    ],
  },
}
