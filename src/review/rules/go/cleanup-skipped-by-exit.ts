import type { SgNode } from '@ast-grep/napi'
import { calledName, callOf, FUNCTION, shortText, statementsIn } from '../go-shapes.ts'
import { descend, type Rule } from '../rule.ts'

/** What the operating system does not do by itself when the process ends. */
const LASTS =
  /\.(RemoveAll|Remove|Flush|StopCPUProfile|Rollback|Cleanup|Teardown|Shutdown|Terminate)\(|\b(cleanup|teardown|cleanUp|tearDown)\(/

/** A deferred function that first looks whether there was an error is for the error's way out alone. */
function cleansUp(statement: SgNode): boolean {
  const text = statement.is('defer_statement') ? shortText(statement, 2000) : ''
  return LASTS.test(text) && !/^defer func\(\) \{\s*if \w+ [!=]= /.test(text)
}

function exits(statement: SgNode): boolean {
  return (
    statement.is('expression_statement') &&
    /^(os\.Exit|(log|logrus|klog|glog)\.Fatal(f|ln)?)$/.test(calledName(callOf(statement)))
  )
}

function skipping(body: SgNode): SgNode[] {
  const statements = statementsIn(body)
  const deferred = statements.findIndex(cleansUp)
  const exit = deferred < 0 ? undefined : statements.slice(deferred).find(exits)
  return exit ? [exit] : []
}

export const cleanupSkippedByExit: Rule = {
  id: 'go/cleanup-skipped-by-exit',
  languages: ['go'],
  severity: 'medium',
  what: 'This ends the process, so the clean-up deferred above never runs.',
  why: 'os.Exit and log.Fatal run no deferred call: temporary files stay behind, buffered output is lost, what was started goes on.',
  advice:
    'Move the work into a function that returns an error or an exit code, and exit from its caller alone.',
  match: { rule: FUNCTION },
  at: (match) => descend(match, 'body').flatMap(skipping),
  examples: {
    bad: [
      'package a\n\nfunc main() {\n\tdir, _ := os.MkdirTemp("", "build")\n\tdefer os.RemoveAll(dir)\n\tif err := build(dir); err != nil {\n\t\tlog.Fatal(err)\n\t}\n}\n',
      'package a\n\nfunc TestMain(m *testing.M) {\n\tdefer teardown()\n\tos.Exit(m.Run())\n}\n',
    ],
    good: [
      'package a\n\nfunc main() {\n\tfile, err := os.Open(path)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer file.Close()\n\tos.Exit(read(file))\n}\n',
      'package a\n\nfunc main() {\n\tdir, err := os.MkdirTemp("", "build")\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tdefer os.RemoveAll(dir)\n\tbuild(dir)\n}\n',
      'package a\n\nfunc main() {\n\tdefer os.RemoveAll(dir)\n\tgo func() {\n\t\tos.Exit(watch())\n\t}()\n}\n',
    ],
  },
}
