import { BUILT_STRING, callsFunctionOf, firstArgument, keyword } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

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
      all: [
        firstArgument({ all: [BUILT_STRING, { pattern: '$COMMAND' }, { not: { regex: 'shlex|quote\\(' } }] }),
      ],
    },
  },
  at: (match) => [match.getMatch('COMMAND')].filter((command) => command !== null),
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
