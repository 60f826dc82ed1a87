import type { SgNode } from '@ast-grep/napi'
import { BUILT_STRING, callsFunctionOf, FIRST_ARGUMENT, keyword } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

/** Calls can be nested in a command: reading all of the text of each would take quadratic time. */
const MAX_COMMAND = 4096

/** Whether what is inserted is quoted, as far as can be told; of a longer text it cannot. */
function isQuoted(command: SgNode): boolean {
  const { start, end } = command.range()
  return end.index - start.index > MAX_COMMAND || /shlex|quote\(/.test(command.text())
}

export const shellInjection: Rule = {
  id: 'python/shell-injection',
  languages: ['python'],
  severity: 'critical',
  what: 'A shell command line is put together with a value in it.',
  why: 'A value such as `x; curl … | sh` runs as a command of its own; a mere space in a file name already breaks it.',
  advice: 'Pass a list without `shell=True`: `subprocess.run(["convert", path, target], check=True)`.',
  match: {
    rule: {
      kind: 'call',
      any: [
        {
          all: [
            callsFunctionOf('^subprocess$', '^(run|call|check_call|check_output|Popen|getoutput)$'),
            keyword('shell', { kind: 'true' }),
          ],
        },
        callsFunctionOf('^os$', '^(system|popen)$'),
        callsFunctionOf('^asyncio$', '^create_subprocess_shell$'),
      ],
      all: [FIRST_ARGUMENT],
    },
    constraints: { FIRST: BUILT_STRING },
  },
  at: (match) => {
    const command = match.getMatch('FIRST')
    return command && !isQuoted(command) ? [command] : []
  },
  notInTests: true,
  examples: {
    bad: [
      'import subprocess\nsubprocess.run(f"convert {path} out.png", shell=True, check=True)\n',
      'import os\nos.system("rm -r " + directory)\n',
      'import subprocess\nsubprocess.check_output("tar xf %s" % name, shell=True)\n',
      'import os\nos.popen("ls {}".format(directory))\n',
    ],
    good: [
      'import subprocess\nsubprocess.run(["convert", path, "out.png"], check=True)\n',
      'import subprocess\nsubprocess.run("ls | wc -l", shell=True)\n',
      'import subprocess\nsubprocess.run(f"ls {shlex.quote(path)}", shell=True)\n',
    ],
  },
}
